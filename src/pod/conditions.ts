import type { PodCondition } from 'kubernetes-types/core/v1.js';
import type { Pod } from '../manifest/pod.ts';
import { isInitialized, isPassed, membersOf } from './order.ts';
import { type Phase, podPhase } from './phase.ts';
import type { PodRecord, Transition } from './record.ts';
import { truncated, visible } from './visible.ts';

type Verdict = Omit<PodCondition, 'type'>;

const TRUE: Verdict = { status: 'True' };

/** Conditions in the kubelet's order, each with the moment since when it has its status. */
export function conditions(pod: Pod, record: PodRecord, phase: Phase): readonly PodCondition[] {
  return verdicts(pod, record, phase).map((one) => {
    const { at } = record.transitions[one.type] ?? { at: record.createdAt };
    return { ...one, lastTransitionTime: truncated(at) };
  });
}

/** The record with the moment of each condition whose status is another now; the same one when there is none. */
export function withTransitions(pod: Pod, record: PodRecord, wall: string): PodRecord {
  const changed = verdicts(pod, record, podPhase(pod, record)).filter(
    ({ type, status }) => record.transitions[type]?.status !== status,
  );
  if (changed.length === 0) return record;
  const news = changed.map(({ type, status }): [string, Transition] => [type, { status, at: wall }]);
  return { ...record, transitions: { ...record.transitions, ...Object.fromEntries(news) } };
}

/** As the kubelet computes them (pkg/kubelet/status/generate.go). */
function verdicts(pod: Pod, record: PodRecord, phase: Phase): readonly PodCondition[] {
  const containersReady = readyContainers(pod, record, phase);
  return [
    { type: 'PodReadyToStartContainers', status: record.sandbox.phase === 'ready' ? 'True' : 'False' },
    { type: 'Initialized', ...initialized(pod, record, phase) },
    { type: 'Ready', ...(containersReady.status === 'True' ? gated(pod) : containersReady) },
    { type: 'ContainersReady', ...containersReady },
    { type: 'PodScheduled', status: 'True' },
    ...(record.restartingAll === undefined ? [] : [RESTARTING]),
    ...(record.termination?.cause === 'evicted' ? [disrupted(record.termination.message ?? '')] : []),
  ];
}

/** Whether the pod's Ready condition is True. */
export function podReady(pod: Pod, record: PodRecord): boolean {
  return record.ended === undefined && pod.readinessGates.length === 0 && unready(pod, record).length === 0;
}

const RESTARTING: PodCondition = {
  type: 'AllContainersRestarting',
  status: 'True',
  reason: 'RestartAllContainersStarted',
  message: 'container exited with restart policy rule',
};

/** An eviction (pkg/kubelet/eviction: evictPod). */
function disrupted(message: string): PodCondition {
  return { type: 'DisruptionTarget', status: 'True', reason: 'TerminationByKubelet', message };
}

function initialized(pod: Pod, record: PodRecord, phase: Phase): Verdict {
  if (phase === 'Succeeded') return { ...TRUE, reason: 'PodCompleted' };
  if (isInitialized(pod, record)) return TRUE;
  const incomplete = membersOf(pod, record, 'init', 'sidecar').filter((one) => !isPassed(one));
  const names = incomplete.map(({ spec }) => spec.name).join(' ');
  const message = `containers with incomplete status: [${names}]`;
  return { status: 'False', reason: 'ContainersNotInitialized', message };
}

function readyContainers(pod: Pod, record: PodRecord, phase: Phase): Verdict {
  if (phase === 'Succeeded') return { status: 'False', reason: 'PodCompleted' };
  if (phase === 'Failed') return { status: 'False', reason: 'PodFailed' };
  const names = unready(pod, record);
  if (names.length === 0) return TRUE;
  const message = `containers with unready status: [${names.join(' ')}]`;
  return { status: 'False', reason: 'ContainersNotReady', message };
}

/** Nothing on one host sets the conditions of readiness gates, so none of them exists. */
function gated({ readinessGates }: Pod): Verdict {
  if (readinessGates.length === 0) return TRUE;
  const missing = readinessGates.map(
    (gate) => `corresponding condition of pod readiness gate "${gate}" does not exist.`,
  );
  return { status: 'False', reason: 'ReadinessGatesNotReady', message: missing.join(', ') };
}

function unready(pod: Pod, record: PodRecord): readonly string[] {
  return membersOf(pod, record, 'sidecar', 'main')
    .filter(({ container }) => !visible(pod, record, container).ready)
    .map(({ spec }) => spec.name);
}
