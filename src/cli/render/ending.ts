import type { JournalEntry } from '../../pod/journal-entry.ts';
import { inSeconds } from './duration.ts';

type Entry<K extends JournalEntry['kind']> = Extract<JournalEntry, { kind: K }>;

const NANOSECONDS = 1e9;

/**
 * How each container of a terminated pod went, one line each:
 * `nginx: preStop exec exit 0 in 0.1 s; exited 0 with 29.6 s of grace left`.
 */
export function endingLines(
  journal: readonly JournalEntry[],
  containers: readonly { readonly name: string }[],
): readonly string[] {
  const request = journal.find((entry) => entry.kind === 'terminate');
  return containers.map(({ name }) => {
    const about = journal.filter((entry) => 'container' in entry && entry.container === name);
    return `${name}: ${endingOf(about, request).join('; ')}`;
  });
}

function endingOf(about: readonly JournalEntry[], request: Entry<'terminate'> | undefined): readonly string[] {
  const from = request?.seq ?? 0;
  const exit = about.findLast((entry) => entry.kind === 'exit');
  if (exit === undefined) return ['never started'];
  if (request !== undefined && exit.seq < from) return [`had already ended with exit code ${exit.exitCode}`];
  const before = about.findLast((entry) => entry.kind === 'exit' && entry.seq < exit.seq);
  const since = Math.max(from, request === undefined ? (before?.seq ?? 0) : 0);
  const last = about.filter((entry) => entry.seq > since);
  const parts = last.flatMap((entry) => partOf(entry));
  return [...parts, exitText(exit, request, last)];
}

function partOf(entry: JournalEntry): readonly string[] {
  if (entry.kind === 'hook-end') return [hookText(entry)];
  if (entry.kind === 'note' && entry.text.startsWith('preStop not run')) return [entry.text];
  return [];
}

/** `preStop exec exit 0 in 0.1 s`. */
export function hookText(end: Entry<'hook-end'>): string {
  const what = `${end.hook} ${end.handler.split(' ', 1)[0] ?? ''}`;
  const time = `in ${inSeconds(end.seconds)}`;
  if (end.outcome === 'ended-by-deadline') return `${what} cut off by the grace period after ${inSeconds(end.seconds)}`;
  if (end.exitCode !== undefined) return `${what} exit ${end.exitCode} ${time}`;
  const why = end.message === undefined || end.message === '' ? '' : `: ${end.message}`;
  // Any answer is success: which one it was is worth knowing.
  return end.outcome === 'ok' ? `${what} ok ${time}${why}` : `${what} failed ${time}${why}`;
}

function exitText(exit: Entry<'exit'>, request: Entry<'terminate'> | undefined, last: readonly JournalEntry[]): string {
  const signals = last.filter((entry) => entry.kind === 'signal');
  const stop = signals.find((entry) => entry.why === 'stop');
  const kill = signals.find((entry) => entry.why === 'kill' || entry.why === 'deadline');
  const code = codeText(exit);
  if (kill !== undefined) {
    const waited = stop === undefined ? '' : ` ${inSeconds(secondsBetween(stop.at, kill.at))} after ${stop.signal}`;
    const why = kill.why === 'deadline' ? ': the grace period was over' : '';
    return `killed${waited}${why}; exited ${code}`;
  }
  const signal = stop === undefined ? '' : `${stop.signal}, `;
  if (request === undefined) return `${signal}exited ${code}`;
  const left = request.grace - secondsBetween(request.t, exit.at);
  return `${signal}exited ${code} with ${inSeconds(Math.max(0, left))} of grace left`;
}

/** `137 by SIGKILL, out of memory (OOMKilled)`. */
export function codeText({ exitCode, signal, oomKilled }: Entry<'exit'>): string {
  return `${exitCode}${signal === undefined ? '' : ` by ${signal}`}${oomKilled === true ? ', out of memory (OOMKilled)' : ''}`;
}

/** Both in ns of one clock, as decimal strings. */
function secondsBetween(from: string, to: string): number {
  return Number(BigInt(to) - BigInt(from)) / NANOSECONDS;
}

/** Whether the end had to be forced on some container: SIGKILL by a deadline or a second request. */
export function wasKilled(journal: readonly JournalEntry[]): boolean {
  return journal.some((entry) => entry.kind === 'signal' && (entry.why === 'kill' || entry.why === 'deadline'));
}
