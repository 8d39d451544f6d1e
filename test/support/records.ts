import { seconds } from '../../src/base/clock.ts';
import type { Probe } from '../../src/manifest/pod.ts';
import { actionKey, plan } from '../../src/pod/plan.ts';
import type {
  ContainerRecord,
  ContainerState,
  HookRun,
  PodRecord,
  Terminated,
  Termination,
} from '../../src/pod/record.ts';
import { type PodSketch, aPod, aRecord, deepFreeze, withContainer } from './pods.ts';

/** When everything in a test of records begins. */
export const T = 1_000_000_000_000n;
export const wall = '2026-01-01T00:00:01.000Z';

/** Seconds after {@link T}. */
export const at = (offset: number): bigint => T + seconds(offset);

export const ended = (exitCode: number): Terminated => ({
  exitCode,
  reason: exitCode === 0 ? 'Completed' : 'Error',
  message: undefined,
  startedAt: wall,
  finishedAt: wall,
  finishedMono: T,
  containerId: 'i',
});
export const exited = (exitCode: number): ContainerState => ({
  phase: 'exited',
  terminated: ended(exitCode),
  because: undefined,
  shown: undefined,
});
export const running: ContainerState = { phase: 'running', id: 'i', startedAt: wall, startedMono: T };
export const starting: ContainerState = { phase: 'starting', id: 'i', startedAt: wall, startedMono: T };
export const creating: ContainerState = { phase: 'creating', id: 'i' };
export const stopping = (changes: object = {}): ContainerState => ({
  phase: 'stopping',
  id: 'i',
  startedAt: wall,
  startedMono: T,
  because: 'terminated',
  since: T,
  budget: 10,
  wasRunning: true,
  signaled: undefined,
  error: undefined,
  ...changes,
});
export const open: HookRun = { execId: 'x', since: T, ended: undefined };
export const over: HookRun = { ...open, ended: { at: T, ok: true } };
export const wish = (changes: Partial<Termination> = {}): Termination => ({
  cause: 'request',
  requestedAt: T,
  requestedWall: wall,
  grace: 10,
  hooksUntil: at(10),
  killBy: undefined,
  now: false,
  remove: true,
  ...changes,
});

/** A probe with Kubernetes' defaults. */
export const aProbe = (changes: Partial<Probe> = {}): Probe => ({
  handler: { kind: 'exec', command: ['true'] },
  initialDelaySeconds: 0,
  timeoutSeconds: 1,
  periodSeconds: 10,
  successThreshold: 1,
  failureThreshold: 3,
  terminationGracePeriodSeconds: undefined,
  ...changes,
});

/** What is planned, in short: events with an exclamation mark, actions by key, the wake in seconds. */
export function planned(
  sketch: PodSketch,
  containers: readonly Partial<ContainerRecord>[],
  changes: Partial<PodRecord> = {},
  now = 0,
): readonly string[] {
  const pod = deepFreeze(aPod(sketch));
  let record = aRecord(pod, { sandbox: { phase: 'ready', ip: '10.0.0.2' }, ...changes });
  containers.forEach((one, index) => {
    record = withContainer(record, one, index);
  });
  const { events, actions, wakeAt } = plan(pod, deepFreeze(record), at(now));
  return [
    ...events.map((event) => `${event.kind === 'container' ? `${event.name} ${event.event.kind}` : event.kind}!`),
    ...actions.map(actionKey),
    ...(wakeAt === undefined ? [] : [`wake ${Number(wakeAt - T) / 1e9}`]),
  ];
}

export const two = { containers: [{ name: 'a' }, { name: 'b' }] };
export const post = { postStart: open, preStop: undefined };
export const pre = { postStart: undefined, preStop: open };
export const waiting = (retryAt?: bigint): ContainerState => ({
  phase: 'waiting',
  reason: 'ErrImagePull',
  ...(retryAt === undefined ? {} : { retryAt }),
});
