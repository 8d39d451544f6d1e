import type { Note } from './journal-entry.ts';

/** A Kubernetes event about a container. */
export function eventOf(container: string, type: 'Normal' | 'Warning', reason: string, message: string): Note {
  return { kind: 'event', type, reason, message, container };
}

/** A Warning with the kubelet's own text first, then what it would have hidden. */
export function failureOf(container: string, reason: string, text: string, detail: string): Note {
  return eventOf(container, 'Warning', reason, detail === '' ? text : `${text}: ${detail}`);
}

/** A line for people. */
export function remark(container: string, text: string): Note {
  return { kind: 'note', container, text };
}
