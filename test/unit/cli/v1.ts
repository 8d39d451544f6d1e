import type { ContainerState, ContainerStatus, PodStatus } from 'kubernetes-types/core/v1.js';
import type { V1Pod } from '../../../src/manifest/pod.ts';

/** When the pods of these tests are looked at. */
export const now = new Date('2026-11-22T22:57:07Z');
const ago = (seconds: number): string => new Date(now.getTime() - seconds * 1000).toISOString().replace('.000', '');

export const running: ContainerState = { running: { startedAt: ago(5) } };
export const waiting = (reason: string): ContainerState => ({ waiting: { reason } });
export const ended = (exitCode: number, reason = exitCode === 0 ? 'Completed' : 'Error'): ContainerState => ({
  terminated: { exitCode, reason, finishedAt: ago(3) },
});

export function status(name: string, state: ContainerState, more: Partial<ContainerStatus> = {}): ContainerStatus {
  const up = state.running !== undefined;
  return { name, state, ready: up, started: up, restartCount: 0, image: '', imageID: '', ...more };
}

/** A v1 Pod made of its containers' statuses. */
export function podOf(given: {
  containers?: ContainerStatus[];
  init?: (ContainerStatus & { sidecar?: boolean })[];
  phase?: string;
  ready?: boolean;
  initialized?: boolean;
  deleted?: boolean;
  more?: PodStatus;
}): V1Pod {
  const { containers = [], init = [], phase = 'Running' } = given;
  return {
    metadata: {
      name: 'web',
      namespace: 'default',
      creationTimestamp: ago(47),
      ...(given.deleted === true ? { deletionTimestamp: ago(1) } : {}),
    },
    spec: {
      containers: containers.map(({ name }) => ({ name })),
      initContainers: init.map(({ name, sidecar }) => ({
        name,
        ...(sidecar === true ? { restartPolicy: 'Always' } : {}),
      })),
    },
    status: {
      phase,
      conditions: [
        { type: 'Initialized', status: given.initialized === false ? 'False' : 'True' },
        { type: 'Ready', status: given.ready === true ? 'True' : 'False' },
      ],
      containerStatuses: containers,
      ...(init.length > 0 ? { initContainerStatuses: init } : {}),
      ...given.more,
    },
  };
}

/** One run ended before. */
export const crashed = { lastState: ended(1), restartCount: 1 };
