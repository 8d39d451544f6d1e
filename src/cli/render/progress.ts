import type { JournalEntry } from '../../pod/journal-entry.ts';
import { hookText } from './ending.ts';

/** A journal entry as the foreground `run` tells it on stderr; undefined for what people need not see. */
export function progressLine(entry: JournalEntry): string | undefined {
  switch (entry.kind) {
    case 'event':
      return `${prefix(entry.container)}${entry.reason}: ${entry.message}`;
    case 'hook-start':
      return `${prefix(entry.container)}${entry.hook} begins: ${oneLine(entry.handler)}`;
    case 'hook-end':
      return `${prefix(entry.container)}${hookText(entry)}`;
    case 'signal':
      return `${prefix(entry.container)}${entry.signal}${entry.why === 'deadline' ? ': the grace period is over' : ''}`;
    case 'exit':
      return `${prefix(entry.container)}exited ${entry.exitCode}${entry.signal === undefined ? '' : ` by ${entry.signal}`}`;
    case 'note':
      return `${prefix(entry.container)}${entry.text}`;
    case 'terminate':
      return entry.now ? 'killing everything now' : `terminating, grace period ${entry.grace} s`;
    case 'ended':
      return `pod ended: ${entry.phase}`;
    case 'state':
    case 'phase':
    case 'probe':
      return undefined;
    default:
      return entry satisfies never;
  }
}

function prefix(container: string | undefined): string {
  return container === undefined ? '' : `${container}: `;
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ');
}
