import type { Container } from '../../manifest/pod.ts';
import type { JournalEntry } from '../../pod/journal-entry.ts';
import { membersOf } from '../../pod/order.ts';
import type { PodView } from '../../pod/view.ts';
import { EXIT } from '../exit-code.ts';
import { wasKilled } from '../render/ending.ts';

/**
 * Exit status of a foreground run. Stopped by somebody: 0, or 137 when that took SIGKILL. Otherwise 0 for Succeeded, and
 * for Failed the code of a pod's only container, else 1. Init containers and sidecars do not count.
 */
export function runStatus({ pod, record }: Pick<PodView, 'pod' | 'record'>, journal: readonly JournalEntry[]): number {
  const request = journal.findIndex((entry) => entry.kind === 'terminate');
  if (request >= 0 && record.termination?.cause === 'request')
    return wasKilled(journal.slice(request)) ? EXIT.killed : EXIT.ok;
  if (record.ended?.phase === 'Succeeded') return EXIT.ok;
  const [only, ...more] = membersOf(pod, record, 'main').map(({ container }) => container.state);
  if (only?.phase !== 'exited' || more.length > 0) return EXIT.failed;
  return only.terminated.exitCode || EXIT.failed;
}

export type Until =
  { readonly kind: 'ready' } | { readonly kind: 'completed' } | { readonly kind: 'after'; readonly seconds: number };

/** Whether what `--until` waits for has happened; `after` is a matter of the clock, not of the journal. */
export function untilReached(
  until: Until | undefined,
  journal: readonly JournalEntry[],
  containers: readonly Pick<Container, 'name' | 'role'>[],
): boolean {
  switch (until?.kind) {
    case undefined:
    case 'after':
      return false;
    case 'ready':
      return journal.some((entry) => entry.kind === 'phase' && entry.ready);
    case 'completed':
      return containers
        .filter(({ role }) => role === 'main')
        .every(({ name }) => journal.some((entry) => entry.kind === 'exit' && entry.container === name));
    default:
      return until satisfies never;
  }
}

/**
 * How the start of a detached pod went so far; undefined: some container is still on its way. One that fails before the
 * others had their turn decides it, though it may be tried again.
 */
export function startOutcome(
  journal: readonly JournalEntry[],
  containers: readonly Pick<Container, 'name' | 'role'>[],
): { readonly failures: readonly string[] } | undefined {
  const unmade = journal.find((entry) => entry.kind === 'event' && BEFORE_CONTAINERS.has(entry.reason));
  if (unmade?.kind === 'event') return { failures: [unmade.message] };
  const ended = journal.some((entry) => entry.kind === 'ended');
  const failures: string[] = [];
  for (const container of containers) {
    const outcome = containerStart(journal, container);
    if (typeof outcome === 'string') failures.push(`container ${container.name}: ${outcome}`);
    if (typeof outcome === 'string' && container.role !== 'main') break;
    if (outcome === undefined && !ended) return undefined;
    if (outcome === undefined) failures.push(`container ${container.name}: never started`);
  }
  return { failures };
}

/** Events of what comes before any container. */
const BEFORE_CONTAINERS: ReadonlySet<string> = new Set([
  'FailedMount',
  'FailedCreatePodSandBox',
  'SysctlForbidden',
  'AppArmor',
]);

/** Whether a container started (an init container: is done), or why it did not; undefined: it is on its way. */
function containerStart(
  journal: readonly JournalEntry[],
  { name, role }: Pick<Container, 'name' | 'role'>,
): true | string | undefined {
  const states = journal.filter((entry) => entry.kind === 'state').filter((entry) => entry.container === name);
  const isDone = ({ state, exitCode }: (typeof states)[number]): boolean =>
    (state === 'running' && role !== 'init') || (state === 'terminated' && exitCode === 0);
  if (states.some(isDone)) return true;
  const failed = states.find(
    ({ state, reason }) =>
      state === 'terminated' || (state === 'waiting' && reason !== undefined && !ON_ITS_WAY.has(reason)),
  );
  return failed === undefined ? undefined : `${failed.reason ?? 'failed'}${tail(failed)}`;
}

const ON_ITS_WAY: ReadonlySet<string> = new Set(['ContainerCreating', 'PodInitializing']);

function tail({ exitCode, message }: { exitCode?: number; message?: string }): string {
  const code = exitCode === undefined ? '' : ` (exit code ${exitCode})`;
  return message === undefined ? code : `${code}: ${message}`;
}
