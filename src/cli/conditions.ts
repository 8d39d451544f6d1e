import type { ContainerStatus, PodCondition, PodSpec, PodStatus } from 'kubernetes-types/core/v1.js';

type Verdict = Omit<PodCondition, 'type'>;

const TRUE: Verdict = { status: 'True' };

/** What the conditions of a pod must have been, given its other status: a journal does not tell them one by one. */
export function conditionsOf(spec: PodSpec | undefined, status: PodStatus, ready: boolean): PodCondition[] {
  const containersReady = readyContainers(spec, status);
  return [
    { type: 'PodReadyToStartContainers', status: hasSandbox(status) ? 'True' : 'False' },
    { type: 'Initialized', ...initialized(spec, status) },
    { type: 'Ready', ...(ready ? TRUE : containersReady.status === 'True' ? GATES : containersReady) },
    { type: 'ContainersReady', ...containersReady },
    { type: 'PodScheduled', status: 'True' },
  ];
}

const GATES: Verdict = { status: 'False', reason: 'ReadinessGatesNotReady' };

function initialized(spec: PodSpec | undefined, { phase, ...status }: PodStatus): Verdict {
  if (phase === 'Succeeded') return { ...TRUE, reason: 'PodCompleted' };
  const passed = new Set((status.initContainerStatuses ?? []).filter((one) => isPassed(spec, one)).map(nameOf));
  const incomplete = (spec?.initContainers ?? []).map(nameOf).filter((name) => !passed.has(name));
  if (incomplete.length === 0 || (status.containerStatuses ?? []).some(wasCreated)) return TRUE;
  const message = `containers with incomplete status: [${incomplete.join(' ')}]`;
  return { status: 'False', reason: 'ContainersNotInitialized', message };
}

function readyContainers(spec: PodSpec | undefined, { phase, ...status }: PodStatus): Verdict {
  if (phase === 'Succeeded') return { status: 'False', reason: 'PodCompleted' };
  if (phase === 'Failed') return { status: 'False', reason: 'PodFailed' };
  const sidecars = (status.initContainerStatuses ?? []).filter(({ name }) => isSidecar(spec, name));
  const unready = [...sidecars, ...(status.containerStatuses ?? [])].filter((one) => !one.ready).map(nameOf);
  if (unready.length === 0) return TRUE;
  const message = `containers with unready status: [${unready.join(' ')}]`;
  return { status: 'False', reason: 'ContainersNotReady', message };
}

function hasSandbox({ phase, initContainerStatuses = [], containerStatuses = [] }: PodStatus): boolean {
  const over = phase === 'Succeeded' || phase === 'Failed';
  return !over && [...initContainerStatuses, ...containerStatuses].some(wasCreated);
}

function isPassed(spec: PodSpec | undefined, { name, state, started }: ContainerStatus): boolean {
  return isSidecar(spec, name) ? started === true : state?.terminated?.exitCode === 0;
}

function isSidecar(spec: PodSpec | undefined, name: string): boolean {
  return spec?.initContainers?.find((one) => one.name === name)?.restartPolicy === 'Always';
}

function wasCreated({ state, lastState }: ContainerStatus): boolean {
  return state?.running !== undefined || state?.terminated !== undefined || lastState?.terminated !== undefined;
}

function nameOf({ name }: { readonly name: string }): string {
  return name;
}
