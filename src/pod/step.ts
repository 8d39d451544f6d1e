import type { MonoNs } from '../base/clock.ts';
import type { Pod } from '../manifest/pod.ts';
import type { Rejection } from './admission.ts';
import { withTransitions } from './conditions.ts';
import type { ContainerEvent, Moment } from './container-event.ts';
import type { Note } from './journal-entry.ts';
import { stepContainer } from './lifecycle.ts';
import { RESTARTING_ALL, hasFailedInit, isInitialized, membersOf } from './order.ts';
import type { ContainerRecord, HostIdentity, PodRecord, Sandbox, Terminated, Termination } from './record.ts';
import { remark } from './notes.ts';
import { asksRestartOfAll, mountBackoff, nextBackoff } from './restart.ts';
import {
  type StopRequest,
  deadlineTermination,
  evictionTermination,
  mergeTermination,
  rejectionTermination,
} from './stop.ts';

/** What can happen to a pod. */
export type PodEvent =
  | { readonly kind: 'taken' }
  | { readonly kind: 'sandboxBegun' }
  | { readonly kind: 'volumesFailed'; readonly failures: readonly VolumeFailure[] }
  | { readonly kind: 'sandboxReady'; readonly ip: string | undefined; readonly host?: HostIdentity }
  | { readonly kind: 'sandboxFailed'; readonly message: string; readonly retryAt: MonoNs }
  | { readonly kind: 'sandboxRemoved' }
  | { readonly kind: 'terminate'; readonly request: StopRequest }
  /** activeDeadlineSeconds are over. */
  | { readonly kind: 'deadline' }
  /** It has outgrown a limit; `message` says which. */
  | { readonly kind: 'evict'; readonly message: string }
  /** This host cannot have it. */
  | { readonly kind: 'reject'; readonly why: Rejection }
  /** Every container is down that is to be restarted with all others. */
  | { readonly kind: 'allDown' }
  | { readonly kind: 'ended' }
  | { readonly kind: 'container'; readonly name: string; readonly event: ContainerEvent };

/** A volume that cannot be prepared, and the kubelet's text of why. */
export interface VolumeFailure {
  readonly volume: string;
  readonly message: string;
}

export interface PodStepped {
  readonly record: PodRecord;
  readonly notes: readonly Note[];
}

/** Applies one event to a pod's record. Pure. */
export function stepPod(pod: Pod, record: PodRecord, event: PodEvent, moment: Moment): PodStepped {
  const stepped = step(pod, record, event, moment);
  if (stepped.record === record) return stepped;
  return { ...stepped, record: withTransitions(pod, stepped.record, moment.wall) };
}

function step(pod: Pod, record: PodRecord, event: PodEvent, moment: Moment): PodStepped {
  const plain = (next: Partial<PodRecord>, notes: readonly Note[] = []): PodStepped => ({
    record: { ...record, ...next },
    notes,
  });
  switch (event.kind) {
    case 'taken':
      return plain({
        startedAt: record.startedAt ?? moment.wall,
        startedMono: record.startedMono ?? moment.at,
      });
    case 'sandboxBegun':
      return plain({ sandbox: sandboxBegun(record.sandbox) });
    case 'volumesFailed': {
      const waited = mountBackoff(record.sandbox.phase === 'making' ? record.sandbox.waited : undefined);
      return plain(
        { sandbox: { phase: 'unmounted', waited, retryAt: moment.at + waited } },
        event.failures.map(failedMount),
      );
    }
    case 'sandboxReady':
      return plain({ sandbox: { phase: 'ready', ip: event.ip, host: event.host } });
    case 'sandboxFailed': {
      const message = `Failed to create pod sandbox: ${event.message}`;
      return plain({ sandbox: { phase: 'failed', message: event.message, retryAt: event.retryAt } }, [
        { kind: 'event', type: 'Warning', reason: 'FailedCreatePodSandBox', message },
      ]);
    }
    case 'sandboxRemoved': {
      const { ip, host } = record.sandbox.phase === 'ready' ? record.sandbox : {};
      return plain({ sandbox: { phase: 'removed', ip, host } }, deadlineNotes(record, 1));
    }
    case 'terminate': {
      const termination = mergeTermination(pod, record.termination, event.request, moment);
      const { grace, remove, now } = termination;
      return plain({ termination }, [{ kind: 'terminate', grace, remove, now }]);
    }
    case 'deadline':
    case 'evict':
    case 'reject':
      return record.termination === undefined ? cutShort(pod, record, event, moment) : plain({});
    case 'allDown':
      return plain({
        restartingAll: undefined,
        containers: record.containers.map((one) => restartedWithAll(one, one.name === record.restartingAll, moment)),
      });
    case 'ended':
      return ended(pod, record, moment);
    case 'container':
      return stepMember(pod, record, event, moment);
    default:
      return event satisfies never;
  }
}

/** Ends a pod though nobody asked for it. */
function cutShort(
  pod: Pod,
  record: PodRecord,
  event: Extract<PodEvent, { kind: 'deadline' | 'evict' | 'reject' }>,
  moment: Moment,
): PodStepped {
  const { termination, told } = cutOf(pod, event, moment);
  const { grace, remove, now } = termination;
  // Nothing was made, though it had been begun.
  const sandbox: Sandbox =
    event.kind === 'reject' ? { phase: 'failed', message: event.why.message, retryAt: moment.at } : record.sandbox;
  return {
    record: { ...record, termination, sandbox },
    notes: event.kind === 'reject' ? told : [...told, { kind: 'terminate', grace, remove, now }],
  };
}

function cutOf(
  pod: Pod,
  event: Extract<PodEvent, { kind: 'deadline' | 'evict' | 'reject' }>,
  moment: Moment,
): { readonly termination: Termination; readonly told: readonly Note[] } {
  const warning = (reason: string, message: string): Note => ({ kind: 'event', type: 'Warning', reason, message });
  switch (event.kind) {
    case 'deadline': {
      const termination = deadlineTermination(pod, moment);
      return { termination, told: deadlineNotes({ termination }, 2) };
    }
    case 'evict':
      return { termination: evictionTermination(event.message, moment), told: [warning(EVICTED, event.message)] };
    case 'reject': {
      const { reason, message } = event.why;
      return { termination: rejectionTermination(event.why, moment), told: [warning(reason, message)] };
    }
  }
}

/** The back-off of volumes goes on until all of them are there. */
function sandboxBegun(sandbox: Sandbox): Sandbox {
  return sandbox.phase === 'unmounted' ? { phase: 'making', waited: sandbox.waited } : { phase: 'making' };
}

/** A volume that could not be prepared, in the words of pkg/volume/util/operationexecutor (generateVolumeMountError). */
export function failedMount({ volume, message }: VolumeFailure): Note {
  const text = `MountVolume.SetUp failed for volume "${volume}" : ${message}`;
  return { kind: 'event', type: 'Warning', reason: 'FailedMount', message: text };
}

function stepMember(
  pod: Pod,
  record: PodRecord,
  { name, event }: Extract<PodEvent, { kind: 'container' }>,
  moment: Moment,
): PodStepped {
  const index = record.containers.findIndex((container) => container.name === name);
  const before = record.containers[index];
  const spec = pod.containers[index];
  if (before === undefined || spec === undefined) return { record, notes: [] };
  const { container, notes } = stepContainer({ pod, record, spec, moment }, before, event);
  if (container === before) return { record, notes };
  const { state } = container;
  const all =
    event.kind === 'exited' &&
    state.phase === 'exited' &&
    record.termination === undefined &&
    asksRestartOfAll(spec, { exitCode: state.terminated.exitCode, because: state.because });
  const first = all && record.restartingAll === undefined;
  return {
    record: {
      ...record,
      containers: record.containers.with(index, container),
      restartingAll: first ? name : record.restartingAll,
    },
    notes: first ? [...notes, remark(name, RESTART_ALL_REMARK)] : notes,
  };
}

export const RESTART_ALL_REMARK = 'its exit restarts all containers (restartPolicyRules)';

/** The kubelet tells of the deadline at each of its looks at such a pod: two before the end of its containers, two after. */
function deadlineNotes({ termination }: Pick<PodRecord, 'termination'>, times: number): readonly Note[] {
  if (termination?.cause !== 'deadline') return [];
  const { reason, message } = DEADLINE_EXCEEDED;
  return Array.from({ length: times }, () => ({ kind: 'event', type: 'Normal', reason, message }) as const);
}

/** status.reason and status.message of such a pod, and its event (pkg/kubelet/active_deadline.go). */
export const DEADLINE_EXCEEDED = {
  reason: 'DeadlineExceeded',
  message: 'Pod was active on the node longer than the specified deadline',
} as const;

/** status.reason of a pod that outgrew a limit, and the reason of its event (pkg/kubelet/eviction). */
export const EVICTED = 'Evicted';

function ended(pod: Pod, record: PodRecord, moment: Moment): PodStepped {
  // A rejected pod has no containers that could be lost.
  const { cause } = record.termination ?? {};
  const settled = cause === undefined || cause === 'rejected' ? record : settle(pod, record, moment);
  const mains = membersOf(pod, settled, 'main').map(({ container }) => container);
  const cut = cause !== undefined && cause !== 'request';
  const failed = cut || mains.some((container) => exitCode(container) !== 0);
  const phase = failed ? 'Failed' : 'Succeeded';
  return {
    record: { ...settled, ended: { phase, wall: moment.wall } },
    notes: [...deadlineNotes(record, 1), { kind: 'ended', phase }],
  };
}

/**
 * A container without an end counts as lost; one that waited for a restart keeps its last exit. Those that had not
 * come to their turn in an initialization that was never over stay as they are (pkg/kubelet/status: TerminatePod).
 */
function settle(pod: Pod, record: PodRecord, moment: Moment): PodRecord {
  const over = isInitialized(pod, record) && !hasFailedInit(pod, record);
  const begun = record.containers.findLastIndex(({ state, last }) => state.phase !== 'waiting' || last !== undefined);
  return {
    ...record,
    containers: record.containers.map((container, index) =>
      over || index < begun || container.last !== undefined ? lost(container, moment) : container,
    ),
  };
}

function lost(container: ContainerRecord, moment: Moment): ContainerRecord {
  if (container.state.phase !== 'waiting') return container;
  const unknown: Terminated = {
    exitCode: 137,
    reason: 'ContainerStatusUnknown',
    message: 'The container could not be located when the pod was terminated',
    startedAt: undefined,
    finishedAt: moment.wall,
    finishedMono: moment.at,
    containerId: '',
  };
  const terminated = container.last ?? unknown;
  return { ...container, state: { phase: 'exited', terminated, because: undefined, shown: undefined } };
}

function exitCode({ state }: ContainerRecord): number {
  return state.phase === 'exited' ? state.terminated.exitCode : 137;
}

/**
 * Its instance is removed, and with it its end: what is left says why (KEP-5532). Only the one that asked for it has to
 * wait longer the next time.
 */
function restartedWithAll(container: ContainerRecord, asked: boolean, moment: Moment): ContainerRecord {
  const { state } = container;
  if (state.phase !== 'exited') return container;
  const message = 'The container is removed because RestartAllContainers in place';
  const last: Terminated = { ...state.terminated, exitCode: 137, reason: RESTARTING_ALL, message };
  return {
    ...container,
    state: { phase: 'waiting', reason: RESTARTING_ALL, message },
    hooks: { postStart: undefined, preStop: undefined },
    probes: {},
    restartCount: container.restartCount + 1,
    last,
    lastShown: undefined,
    backoff: asked ? nextBackoff(container.backoff, state.terminated.finishedMono, moment.at) : container.backoff,
  };
}
