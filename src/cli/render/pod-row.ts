import type { ContainerStatus, PodStatus } from 'kubernetes-types/core/v1.js';
import type { V1Pod } from '../../manifest/pod.ts';
import { age } from './duration.ts';

export interface PodSummary {
  readonly ready: string;
  readonly status: string;
  readonly restarts: string;
}

interface Count {
  restarts: number;
  /** ISO; empty: never. Equal forms compare as text. */
  last: string;
}

/** READY, STATUS and RESTARTS of `kubectl get pods` (pkg/printers/internalversion/printers.go: printPod). */
export function summarizePod(pod: V1Pod, now: Date): PodSummary {
  const status = pod.status ?? {};
  const specs = pod.spec?.initContainers ?? [];
  const sidecars = new Set(specs.filter((one) => one.restartPolicy === 'Always').map((one) => one.name));
  const init = walkInit(status.initContainerStatuses ?? [], sidecars, specs.length);
  let { reason, ready } = { reason: status.reason ?? status.phase ?? '', ready: init.ready };
  let count = init.all;
  if (init.reason !== undefined) reason = init.reason;
  if (init.reason === undefined || isTrue(status, 'Initialized')) {
    const regular = walkRegular(status, reason, init.sidecars);
    reason = regular.reason;
    ready += regular.ready;
    count = regular.count;
  }
  const over = status.phase === 'Succeeded' || status.phase === 'Failed';
  if (pod.metadata?.deletionTimestamp !== undefined && !over) reason = 'Terminating';
  const total = (pod.spec?.containers.length ?? 0) + sidecars.size;
  const restarts =
    count.restarts > 0 && count.last !== ''
      ? `${count.restarts} (${age(count.last, now)} ago)`
      : String(count.restarts);
  return { ready: `${ready}/${total}`, status: reason, restarts };
}

/** Looks at init containers up to the first one that is not done; `reason` says what that one is doing. */
function walkInit(statuses: readonly ContainerStatus[], names: ReadonlySet<string>, total: number) {
  const all: Count = { restarts: 0, last: '' };
  const sidecars: Count = { restarts: 0, last: '' };
  let ready = 0;
  for (const [index, status] of statuses.entries()) {
    const { terminated, waiting } = status.state ?? {};
    add(all, status);
    if (names.has(status.name)) add(sidecars, status);
    if (terminated?.exitCode === 0) continue;
    if (names.has(status.name) && status.started === true) {
      if (status.ready) ready++;
      continue;
    }
    const waits = waiting?.reason !== undefined && waiting.reason !== '' && waiting.reason !== 'PodInitializing';
    const what = terminated !== undefined ? ended(terminated) : waits ? waiting.reason : `${index}/${total}`;
    return { all, sidecars, ready, reason: `Init:${what}` };
  }
  return { all, sidecars, ready, reason: undefined };
}

/** From last to first, each overwriting: so the first one that has something to say wins. */
function walkRegular(status: PodStatus, before: string, sidecars: Count) {
  const count = { ...sidecars };
  let reason = before;
  let failed: string | undefined;
  let ready = 0;
  let running = false;
  for (const container of (status.containerStatuses ?? []).toReversed()) {
    const { waiting, terminated } = container.state ?? {};
    add(count, container);
    if (waiting?.reason !== undefined && waiting.reason !== '') reason = waiting.reason;
    else if (terminated !== undefined) {
      reason = ended(terminated);
      if (terminated.exitCode !== 0) failed = reason;
    } else if (container.ready && container.state?.running !== undefined) {
      running = true;
      ready++;
    }
  }
  if (reason === 'Completed') {
    if (running && isTrue(status, 'Ready')) reason = 'Running';
    else if (failed !== undefined) reason = failed;
    else if (running) reason = 'NotReady';
  }
  return { reason, ready, count };
}

function add(count: Count, status: ContainerStatus): void {
  count.restarts += status.restartCount;
  const finished = status.lastState?.terminated?.finishedAt;
  if (finished !== undefined && finished > count.last) count.last = finished;
}

function ended(terminated: { reason?: string; signal?: number; exitCode: number }): string {
  if (terminated.reason !== undefined && terminated.reason !== '') return terminated.reason;
  return terminated.signal !== undefined && terminated.signal !== 0
    ? `Signal:${terminated.signal}`
    : `ExitCode:${terminated.exitCode}`;
}

function isTrue(status: PodStatus, type: string): boolean {
  return status.conditions?.some((condition) => condition.type === type && condition.status === 'True') ?? false;
}

export interface PodColumns {
  readonly wide: boolean;
  readonly namespace: boolean;
}

export function podHeading(columns: PodColumns): readonly string[] {
  return [
    ...(columns.namespace ? ['NAMESPACE'] : []),
    ...['NAME', 'READY', 'STATUS', 'RESTARTS', 'AGE'],
    ...(columns.wide ? ['IP', 'NODE', 'NOMINATED NODE', 'READINESS GATES'] : []),
  ];
}

/** One row of `get pods`. */
export function podRow(pod: V1Pod, columns: PodColumns, now: Date): readonly string[] {
  const { ready, status, restarts } = summarizePod(pod, now);
  const { name = '', namespace = '', creationTimestamp } = pod.metadata ?? {};
  return [
    ...(columns.namespace ? [namespace] : []),
    ...[name, ready, status, restarts, age(creationTimestamp, now)],
    ...(columns.wide ? wideCells(pod) : []),
  ];
}

function wideCells({ spec, status }: V1Pod): readonly string[] {
  const gates = spec?.readinessGates ?? [];
  const passed = gates.filter(({ conditionType }) => isTrue(status ?? {}, conditionType));
  return [
    status?.podIP ?? '<none>',
    spec?.nodeName ?? '<none>',
    status?.nominatedNodeName ?? '<none>',
    gates.length === 0 ? '<none>' : `${passed.length}/${gates.length}`,
  ];
}
