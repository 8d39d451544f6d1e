import type { PodStatus } from 'kubernetes-types/core/v1.js';
import type { LinuxContainerUser, NewerContainerStatus } from '../manifest/newer.ts';
import type { Pod, V1Pod } from '../manifest/pod.ts';
import { conditions } from './conditions.ts';
import { type Member, membersOf } from './order.ts';
import { podPhase } from './phase.ts';
import { qosClass } from './qos.ts';
import type { ContainerRecord, PodRecord, ProcessUser } from './record.ts';
import { DEADLINE_EXCEEDED, EVICTED } from './step.ts';
import { shownRestarts, truncated, visible } from './visible.ts';

/** The v1 Pod with its true status: what `kubectl get -o yaml` would show of it. */
export function podObject(pod: Pod, record: PodRecord): V1Pod {
  const { termination } = record;
  const host = placeOf(record)?.host;
  const { spec } = pod.object;
  return {
    ...pod.object,
    ...(spec === undefined || host === undefined ? {} : { spec: { ...spec, nodeName: spec.nodeName || host.name } }),
    metadata: {
      ...pod.object.metadata,
      name: pod.name,
      namespace: pod.namespace,
      uid: record.uid,
      creationTimestamp: truncated(record.createdAt),
      generation: 1,
      ...(termination?.remove === true
        ? {
            deletionTimestamp: truncated(
              new Date(Date.parse(termination.requestedWall) + termination.grace * 1000).toISOString(),
            ),
            deletionGracePeriodSeconds: termination.grace,
          }
        : {}),
    },
    status: podStatus(pod, record),
  };
}

/** status of the pod (pkg/kubelet/kubelet_pods.go: generateAPIPodStatus). */
export function podStatus(pod: Pod, record: PodRecord): PodStatus {
  const phase = podPhase(pod, record);
  const { ip, host } = placeOf(record) ?? {};
  const inits = membersOf(pod, record, 'init', 'sidecar');
  if (phase === 'Failed' && record.termination?.cause === 'rejected') return rejectedStatus(pod, record);
  return {
    phase,
    ...(phase === 'Failed' ? whyCut(record) : {}),
    conditions: [...conditions(pod, record, phase)],
    ...(record.startedAt === undefined ? {} : { startTime: truncated(record.startedAt) }),
    ...(host === undefined ? {} : { hostIP: host.ip, hostIPs: [{ ip: host.ip }] }),
    ...(ip === undefined ? {} : { podIP: ip, podIPs: [{ ip }] }),
    ...(inits.length === 0 ? {} : { initContainerStatuses: inits.map((one) => containerStatus(pod, record, one)) }),
    containerStatuses: membersOf(pod, record, 'main').map((one) => containerStatus(pod, record, one)),
    qosClass: qosClass(pod),
  };
}

/** The kubelet says no more of a pod that it rejects (pkg/kubelet/kubelet.go: rejectPod); the scheduler had its word before. */
function rejectedStatus(pod: Pod, record: PodRecord): PodStatus {
  return {
    phase: 'Failed',
    ...whyCut(record),
    conditions: conditions(pod, record, 'Failed').filter(({ type }) => type === 'PodScheduled'),
    ...(record.startedAt === undefined ? {} : { startTime: truncated(record.startedAt) }),
    qosClass: qosClass(pod),
  };
}

/** Where the pod is, or was. */
function placeOf({ sandbox }: PodRecord): Extract<PodRecord['sandbox'], { phase: 'ready' | 'removed' }> | undefined {
  return sandbox.phase === 'ready' || sandbox.phase === 'removed' ? sandbox : undefined;
}

/** Why a pod was ended though nobody asked for it. */
function whyCut({ termination }: PodRecord): Pick<PodStatus, 'reason' | 'message'> {
  if (termination === undefined) return {};
  const { cause, reason = '', message = '' } = termination;
  if (cause === 'deadline') return DEADLINE_EXCEEDED;
  if (cause === 'evicted') return { reason: EVICTED, message };
  return cause === 'rejected' ? { reason, message: `Pod was rejected: ${message}` } : {};
}

function containerStatus(pod: Pod, record: PodRecord, { container, spec }: Member): NewerContainerStatus {
  const { state, lastState, ready, started } = visible(pod, record, container);
  const id = containerId(container);
  return {
    name: container.name,
    state,
    lastState,
    ready,
    started,
    restartCount: shownRestarts(container),
    image: container.image?.name ?? spec.image,
    imageID: container.image?.id ?? '',
    ...(id === undefined ? {} : { containerID: `minirt://${id}` }),
    ...(id === undefined || container.user === undefined ? {} : { user: { linux: linuxUser(container.user) } }),
  };
}

/** As containerd tells it: the groups in order, the primary one too. */
function linuxUser({ uid, gid, groups }: ProcessUser): LinuxContainerUser {
  return { uid, gid, supplementalGroups: groups.toSorted((a, b) => a - b) };
}

function containerId(container: ContainerRecord): string | undefined {
  const { state } = container;
  if (state.phase === 'waiting') return container.last?.containerId;
  const id = state.phase === 'exited' ? state.terminated.containerId : state.id;
  return id === '' ? undefined : id;
}
