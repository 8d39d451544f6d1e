import type { V1Container } from '../../manifest/pod.ts';
import type { JournalEntry } from '../../pod/journal-entry.ts';
import { age } from './duration.ts';
import { hookText } from './ending.ts';
import { hookOutput } from './hook-lines.ts';
import type { Lines } from './lines.ts';

/** Lines of a hook's output that a description repeats; all of it is in `logs --hooks`. */
const MOST_LINES = 10;

/** What kubectl does not show: the hooks of a container, how the last run of each went, and what it printed. */
export function describeHooks(lines: Lines, spec: V1Container, journal: readonly JournalEntry[], now: Date): void {
  for (const hook of ['postStart', 'preStop'] as const) {
    const handler = spec.lifecycle?.[hook];
    if (handler === undefined) continue;
    const [kind = '', action] = Object.entries(handler)[0] ?? [];
    const command = (action as { command?: readonly string[] } | undefined)?.command;
    const title = hook === 'postStart' ? 'PostStart:' : 'PreStop:';
    lines.add(2, title, command === undefined ? kind : `${kind} [${command.join(' ')}]`);
    describeRun(
      lines,
      journal.filter((entry) => 'container' in entry && entry.container === spec.name),
      hook,
      now,
    );
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
  const output = hookOutput(end, { timestamps: false, since: undefined }).toString('utf8').split('\n').slice(0, -1);
  if (output.length === 0) return;
  lines.add(3, 'Output:');
  const mark = `[${end.container} ${end.hook}] `;
  for (const line of output.slice(-MOST_LINES)) lines.add(4, line.slice(mark.length));
}
