import type { JournalEntry, Note } from '../../../src/pod/journal-entry.ts';

/** A moment of a journal: seconds since its beginning, and what happened. */
export type Moment = readonly [seconds: number, note: Note];

const START = Date.parse('2026-11-22T22:56:18.000Z');
const ORIGIN = 1_000_000_000_000n;

/** CLOCK_MONOTONIC of a story's moment, as journals have it. */
export function monoAt(seconds: number): string {
  return String(ORIGIN + BigInt(Math.round(seconds * 1e9)));
}

/** A journal made of moments. */
export function journalOf(moments: readonly Moment[]): JournalEntry[] {
  return moments.map(([seconds, note], i) => ({
    seq: i + 1,
    t: monoAt(seconds),
    wall: new Date(START + seconds * 1000).toISOString(),
    ...note,
  }));
}

export const terminate = (grace: number, now = false): Note => ({ kind: 'terminate', grace, remove: true, now });
export const exit = (at: number, exitCode: number, signal?: string): Note => ({
  kind: 'exit',
  container: 'c',
  restartCount: 0,
  exitCode,
  at: monoAt(at),
  ...(signal === undefined ? {} : { signal }),
});
export const signal = (at: number, name: string, why: string): Note => ({
  kind: 'signal',
  container: 'c',
  signal: name,
  why,
  at: monoAt(at),
});
export const hookEnd = (more: Partial<Extract<Note, { kind: 'hook-end' }>>): Note => ({
  kind: 'hook-end',
  container: 'c',
  hook: 'preStop',
  handler: 'exec [/usr/sbin/nginx -s quit]',
  restartCount: 0,
  seconds: 0.1,
  outcome: 'ok',
  output: '',
  truncated: false,
  ...more,
});
export const state = (
  what: 'waiting' | 'running' | 'terminated',
  more: Partial<Extract<Note, { kind: 'state' }>> = {},
): Note => ({
  kind: 'state',
  container: 'c',
  state: what,
  restartCount: 0,
  ready: what === 'running',
  started: what === 'running',
  ...more,
});
export const probe = (more: Partial<Extract<Note, { kind: 'probe' }>>): Note => ({
  kind: 'probe',
  container: 'c',
  probe: 'liveness',
  handler: 'exec [test -e /x]',
  restartCount: 0,
  seconds: 0.01,
  outcome: 'failure',
  output: '',
  truncated: false,
  ...more,
});
