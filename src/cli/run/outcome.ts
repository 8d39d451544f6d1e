import type { JournalEntry } from '../../pod/journal-entry.ts';
import type { PodRecord } from '../../pod/record.ts';
import { EXIT } from '../exit-code.ts';
import { wasKilled } from '../render/ending.ts';

/**
 * Exit status of a foreground run. Stopped by somebody: 0, or 137 when that took SIGKILL. Otherwise 0 for Succeeded, and
 * for Failed the code of a pod's only container, else 1.
 */
export function runStatus(record: PodRecord, journal: readonly JournalEntry[]): number {
  const request = journal.findIndex((entry) => entry.kind === 'terminate');
  if (request >= 0) return wasKilled(journal.slice(request)) ? EXIT.killed : EXIT.ok;
  if (record.ended?.phase === 'Succeeded') return EXIT.ok;
  const [only, ...more] = record.containers;
  if (only?.state.phase !== 'exited' || more.length > 0) return EXIT.failed;
  return only.state.terminated.exitCode || EXIT.failed;
}

export type Until =
  { readonly kind: 'ready' } | { readonly kind: 'completed' } | { readonly kind: 'after'; readonly seconds: number };

/** Whether what `--until` waits for has happened; `after` is a matter of the clock, not of the journal. */
export function untilReached(
  until: Until | undefined,
  journal: readonly JournalEntry[],
  containers: readonly string[],
): boolean {
  switch (until?.kind) {
    case undefined:
    case 'after':
      return false;
    case 'ready':
      return journal.some((entry) => entry.kind === 'phase' && entry.ready);
    case 'completed':
      return containers.every((name) => journal.some((entry) => entry.kind === 'exit' && entry.container === name));
    default:
      return until satisfies never;
  }
}

/** How the start of a detached pod went so far; undefined: some container is still on its way. */
export function startOutcome(
  journal: readonly JournalEntry[],
  containers: readonly string[],
): { readonly failures: readonly string[] } | undefined {
  const failures: string[] = [];
  const sandbox = journal.find((entry) => entry.kind === 'event' && entry.reason === 'FailedCreatePodSandBox');
  if (sandbox?.kind === 'event') return { failures: [sandbox.message] };
  for (const name of containers) {
    const states = journal.filter((entry) => entry.kind === 'state').filter((entry) => entry.container === name);
    if (states.some((entry) => entry.state === 'running' || (entry.state === 'terminated' && entry.exitCode === 0)))
      continue;
    const failed = states.find(
      (entry) => entry.state === 'terminated' || (entry.reason !== undefined && !ON_ITS_WAY.has(entry.reason)),
    );
    if (failed !== undefined) failures.push(`container ${name}: ${failed.reason ?? 'failed'}${tail(failed)}`);
    else if (!journal.some((entry) => entry.kind === 'ended')) return undefined;
    else failures.push(`container ${name}: never started`);
  }
  return { failures };
}

const ON_ITS_WAY: ReadonlySet<string> = new Set(['ContainerCreating', 'PodInitializing']);

function tail({ exitCode, message }: { exitCode?: number; message?: string }): string {
  const code = exitCode === undefined ? '' : ` (exit code ${exitCode})`;
  return message === undefined ? code : `${code}: ${message}`;
}
