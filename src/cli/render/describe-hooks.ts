import type { Container } from '../../manifest/pod.ts';
import { handlerText } from '../../pod/hooks/text.ts';
import type { JournalEntry } from '../../pod/journal-entry.ts';
import { age } from './duration.ts';
import { hookText } from './ending.ts';
import { hookOutput } from './hook-lines.ts';
import type { Lines } from './lines.ts';
import { probeFailureText } from './probe-text.ts';

/** Lines of a hook's or probe's output that a description repeats; all of it is in `logs --hooks`. */
const MOST_LINES = 10;

/** What kubectl does not show: the hooks of a container, how the last run of each went, and what it printed. */
export function describeHooks(
  lines: Lines,
  container: Pick<Container, 'name' | 'postStart' | 'preStop'>,
  journal: readonly JournalEntry[],
  now: Date,
): void {
  const about = journal.filter((entry) => 'container' in entry && entry.container === container.name);
  for (const hook of ['postStart', 'preStop'] as const) {
    const handler = container[hook];
    if (handler === undefined) continue;
    lines.add(2, hook === 'postStart' ? 'PostStart:' : 'PreStop:', handlerText(handler));
    describeRun(lines, about, hook, now);
  }
}

function describeRun(lines: Lines, about: readonly JournalEntry[], hook: 'postStart' | 'preStop', now: Date): void {
  const begun = about.findLast((entry) => entry.kind === 'hook-start' && entry.hook === hook);
  const end = about.filter((entry) => entry.kind === 'hook-end').findLast((entry) => entry.hook === hook);
  const skipped = about
    .filter((entry) => entry.kind === 'note')
    .findLast(({ text }) => text.startsWith(`${hook} not run`));
  if (skipped !== undefined) lines.add(3, 'Not Run:', skipped.text.replace(`${hook} not run: `, ''));
  if (begun !== undefined && (end === undefined || end.seq < begun.seq)) {
    return lines.add(3, 'Running:', `since ${age(begun.wall, now)}`);
  }
  if (end === undefined) return;
  lines.add(3, 'Last Run:', `${hookText(end).replace(`${hook} `, '')} (${age(end.wall, now)} ago)`);
  describeOutput(lines, end);
}

/** The last failure of each of a container's probes, and how many there were. */
export function describeProbeFailures(
  lines: Lines,
  container: string,
  journal: readonly JournalEntry[],
  now: Date,
): void {
  const about = journal.filter((entry) => entry.kind === 'probe').filter((entry) => entry.container === container);
  for (const probe of ['liveness', 'readiness', 'startup'] as const) {
    const failures = about.filter((entry) => entry.probe === probe && entry.outcome !== 'success');
    const last = failures.at(-1);
    if (last === undefined) continue;
    const times = failures.length === 1 ? '' : ` (x${failures.length} over ${age(failures[0]?.wall, now)})`;
    // No longer than kubectl's own titles, whose column it shares.
    lines.add(2, 'Failed Probe:', `${probe} ${probeFailureText(last)}, ${age(last.wall, now)} ago${times}`);
    describeOutput(lines, last);
  }
}

function describeOutput(lines: Lines, entry: JournalEntry): void {
  const output = hookOutput(entry, { timestamps: false, since: undefined, mark: false });
  const texts = output.toString('utf8').split('\n').slice(0, -1);
  if (texts.length === 0) return;
  lines.add(3, 'Output:');
  for (const line of texts.slice(-MOST_LINES)) lines.add(4, line);
}
