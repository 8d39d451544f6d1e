import type { MonoNs } from '../base/clock.ts';
import type { Pod, ProbeName } from '../manifest/pod.ts';

/**
 * What is known about a pod: everything its next owner needs, and all that the rules look at. Kept as JSON in the pod's
 * folder; monotonic stamps count within one boot only.
 */
export interface PodRecord {
  readonly version: 1;
  readonly uid: string;
  readonly bootId: string;
  /** ISO wall time. */
  readonly createdAt: string;
  /** When an owner took the pod for the first time: status.startTime. */
  readonly startedAt: string | undefined;
  /** The same moment on the monotonic clock: activeDeadlineSeconds counts from here. */
  readonly startedMono: MonoNs | undefined;
  readonly sandbox: Sandbox;
  readonly termination: Termination | undefined;
  /** The container whose exit code asks for a restart of all of them; undefined: none does. */
  readonly restartingAll: string | undefined;
  /** In the order of `Pod.containers`: init containers and sidecars first. */
  readonly containers: readonly ContainerRecord[];
  /** Set once, when nothing of the pod is left on the host but its files. */
  readonly ended: Ended | undefined;
  /** By condition type; empty as long as nothing has happened to the pod. */
  readonly transitions: Readonly<Record<string, Transition>>;
}

/** When a condition got the status that it has. */
export interface Transition {
  readonly status: string;
  /** ISO wall time. */
  readonly at: string;
}

export type Sandbox =
  | { readonly phase: 'absent' }
  /** Volumes first, then the rest: something of it may be on the host already. `waited`: before this try, for volumes. */
  | { readonly phase: 'making'; readonly waited?: MonoNs }
  /** Some volume could not be prepared; they are tried again `waited` after that. */
  | { readonly phase: 'unmounted'; readonly waited: MonoNs; readonly retryAt: MonoNs }
  | { readonly phase: 'failed'; readonly message: string; readonly retryAt: MonoNs }
  | { readonly phase: 'ready'; readonly ip: string | undefined; readonly host?: HostIdentity | undefined }
  | { readonly phase: 'removed'; readonly ip: string | undefined; readonly host?: HostIdentity | undefined };

/** The host as a node: its name, and the address of its default route. */
export interface HostIdentity {
  readonly name: string;
  readonly ip: string;
}

/** A wish to end the pod. Later wishes only ever make it earlier (design §6). */
export interface Termination {
  /** Somebody's wish, activeDeadlineSeconds, a limit of the pod's own, or a host that cannot have it; the first cause stays. */
  readonly cause: 'request' | 'deadline' | 'evicted' | 'rejected';
  /** Why it was evicted or rejected. */
  readonly message?: string;
  /** Of a rejection: status.reason. */
  readonly reason?: string;
  readonly requestedAt: MonoNs;
  /** ISO wall time: metadata.deletionTimestamp is this plus the grace period. */
  readonly requestedWall: string;
  /** Seconds; of a request at least 1 (pkg/kubelet/pod_workers.go: calculateEffectiveGracePeriod). */
  readonly grace: number;
  /** No hook is waited for past this moment. */
  readonly hooksUntil: MonoNs;
  /** Everything is killed at this moment at the latest; set by a second, shorter wish. */
  readonly killBy: MonoNs | undefined;
  /** SIGKILL to everything at once, nothing is waited for. */
  readonly now: boolean;
  /** Whether the pod's name, record and logs go away once it ended (delete), or stay (stop). */
  readonly remove: boolean;
}

export interface Ended {
  readonly phase: 'Succeeded' | 'Failed';
  readonly wall: string;
}

export type HookName = 'postStart' | 'preStop';

export interface HookRun {
  readonly execId: string;
  readonly since: MonoNs;
  readonly ended: { readonly at: MonoNs; readonly ok: boolean } | undefined;
}

/**
 * Why a container is being stopped; decides the text of its Killing event, its grace period and what follows.
 * `terminated`: with its pod; `completed`: a sidecar whose pod is done.
 */
export type Because = 'terminated' | 'completed' | 'postStart' | 'startup' | 'liveness' | 'restartAll';

/** What one probe of the present instance has found. */
export interface ProbeState {
  /** Changes when `run` reaches a threshold (pkg/kubelet/prober/worker.go). */
  readonly verdict: 'success' | 'failure' | 'unknown';
  /** The outcome of the latest try and how often it came in a row, counted no further than the threshold. */
  readonly last: 'success' | 'failure' | undefined;
  readonly run: number;
  /** When the next try is due. Not kept across owners: undefined then, and it is as soon as the delay is over. */
  readonly nextAt: MonoNs | undefined;
}

export type Probes = Readonly<Partial<Record<ProbeName, ProbeState>>>;

/** Reason of an end for want of memory, whatever the exit code. */
export const OOM_KILLED = 'OOMKilled';

/** Whether an init container did what it was for (pkg/kubelet/kuberuntime: isInitContainerFailed). */
export function initSucceeded({ exitCode, reason }: { readonly exitCode: number; readonly reason?: string }): boolean {
  return exitCode === 0 && reason !== OOM_KILLED;
}

export interface Terminated {
  /** 128+n for a signal; 128 for a process that never started. */
  readonly exitCode: number;
  readonly reason: string;
  readonly message: string | undefined;
  /** ISO wall times; `startedAt` is undefined when it never started. */
  readonly startedAt: string | undefined;
  readonly finishedAt: string;
  readonly finishedMono: MonoNs;
  readonly containerId: string;
}

/** How a pull that failed is shown while it waits for the next (pkg/kubelet/images: ErrImagePullBackOff). */
export interface PullBackOff {
  readonly at: MonoNs;
  /** Of the waiting state. */
  readonly message: string;
  /** Of the event. */
  readonly event: string;
}

export type ContainerState =
  | {
      readonly phase: 'waiting';
      readonly reason: string;
      readonly message?: string;
      readonly retryAt?: MonoNs;
      readonly pullBackOff?: PullBackOff;
    }
  | { readonly phase: 'creating'; readonly id: string }
  /** The process runs; postStart has not returned, so nobody may call it running yet. */
  | ({ readonly phase: 'starting' } & Begun)
  | ({ readonly phase: 'running' } & Begun)
  | Stopping
  | {
      readonly phase: 'exited';
      readonly terminated: Terminated;
      /** Why it had been stopped; undefined: it ended by itself. */
      readonly because: Because | undefined;
      /** Shown instead of the exit while a restart is expected (PostStartHookError, CrashLoopBackOff, …). */
      readonly shown: Shown | undefined;
    };

/** An instance whose process was started. */
export interface Begun {
  readonly id: string;
  /** ISO wall time. */
  readonly startedAt: string;
  readonly startedMono: MonoNs;
}

/** A waiting state that stands for an exit. */
export interface Shown {
  readonly reason: string;
  readonly message: string;
}

export interface Stopping extends Begun {
  readonly phase: 'stopping';
  readonly because: Because;
  /** When the stop began: the grace period counts from here. */
  readonly since: MonoNs;
  /** Seconds of grace at that moment. */
  readonly budget: number;
  /** Whether the container had become RUNNING before. */
  readonly wasRunning: boolean;
  readonly signaled: { readonly at: MonoNs; readonly killAt: MonoNs } | undefined;
  /** The failed postStart's message, shown once the container is dead. */
  readonly error: string | undefined;
}

export interface Backoff {
  /** Seconds. */
  readonly delay: number;
  readonly updatedAt: MonoNs;
}

export interface ContainerRecord {
  readonly name: string;
  /** Of the current or latest instance. */
  readonly restartCount: number;
  readonly state: ContainerState;
  readonly hooks: { readonly postStart: HookRun | undefined; readonly preStop: HookRun | undefined };
  /** Of the current instance, from the moment it is running; the ones its manifest has. */
  readonly probes: Probes;
  /** The instance before the current one, and what was shown instead of its exit. */
  readonly last: Terminated | undefined;
  readonly lastShown: Shown | undefined;
  readonly backoff: Backoff | undefined;
  /** What the image says about stopping; known once the container was created. */
  readonly stopSignal: string | undefined;
  readonly image: { readonly name: string; readonly id: string } | undefined;
  /** Of the current or latest instance that was created. */
  readonly user?: ProcessUser;
}

/** Who a container's first process is at its start. */
export interface ProcessUser {
  readonly uid: number;
  readonly gid: number;
  /** The primary group among them. */
  readonly groups: readonly number[];
}

/** The record of a pod nobody has touched yet. */
export function newRecord(pod: Pod, facts: { uid: string; bootId: string; createdAt: string }): PodRecord {
  return {
    version: 1,
    ...facts,
    startedAt: undefined,
    startedMono: undefined,
    sandbox: { phase: 'absent' },
    termination: undefined,
    restartingAll: undefined,
    ended: undefined,
    transitions: {},
    containers: pod.containers.map((container) => ({
      name: container.name,
      restartCount: 0,
      state: { phase: 'waiting', reason: notCreated(pod) },
      hooks: { postStart: undefined, preStop: undefined },
      probes: {},
      last: undefined,
      lastShown: undefined,
      backoff: undefined,
      stopSignal: undefined,
      image: undefined,
    })),
  };
}

/** The waiting reason of a container that never was (pkg/kubelet/kubelet_pods.go: convertToAPIContainerStatuses). */
export function notCreated(pod: Pod): 'PodInitializing' | 'ContainerCreating' {
  return pod.containers.some(({ role }) => role !== 'main') ? 'PodInitializing' : 'ContainerCreating';
}

/** The record as text. When a probe is due is left out: that changes all the time, and the next owner begins anew. */
export function encodeRecord(record: PodRecord): string {
  return JSON.stringify(record, (key, value: unknown) => {
    if (key === 'nextAt') return undefined;
    return typeof value === 'bigint' ? { mono: value.toString() } : value;
  });
}

/** The opposite of {@link encodeRecord}; throws SyntaxError on anything else. */
export function decodeRecord(text: string): PodRecord {
  const record = JSON.parse(text, (_key, value: unknown) => {
    if (typeof value !== 'object' || value === null || !('mono' in value)) return value;
    return typeof value.mono === 'string' && Object.keys(value).length === 1 ? BigInt(value.mono) : value;
  }) as PodRecord;
  if (record.version !== 1) throw new SyntaxError(`record version ${String(record.version)} is not known`);
  return record;
}
