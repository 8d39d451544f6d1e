import type { JournalEntry } from '../../pod/journal-entry.ts';
import { inSeconds } from './duration.ts';

export type ProbeEntry = Extract<JournalEntry, { kind: 'probe' }>;

/** `exec exit 1 in 0.0 s`: how a try of a probe went that was no success. */
export function probeFailureText({ handler, outcome, exitCode, seconds }: ProbeEntry): string {
  const how =
    exitCode !== undefined && exitCode !== 0
      ? `exit ${exitCode}`
      : { success: 'ok', warning: 'warned', failure: 'failed', error: 'could not be carried out' }[outcome];
  return `${handler.split(' ', 1)[0] ?? ''} ${how} in ${inSeconds(seconds)}`;
}
