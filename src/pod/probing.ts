import { type MonoNs, seconds } from '../base/clock.ts';
import type { Container, Probe, ProbeName } from '../manifest/pod.ts';
import type { ContainerRecord, PodRecord, ProbeState, Probes } from './record.ts';
import type { ProbeOutcome } from './journal-entry.ts';

/** What a probe stands at before its first try (pkg/kubelet/prober/worker.go: initialValue). */
const FIRST_VERDICT = { startup: 'unknown', liveness: 'success', readiness: 'failure' } as const;

const NAMES: readonly ProbeName[] = ['startup', 'liveness', 'readiness'];

/** The probes of an instance that becomes running now. */
export function firstProbes(container: Container, startedMono: MonoNs, now: MonoNs): Probes {
  const probes: Partial<Record<ProbeName, ProbeState>> = {};
  for (const name of NAMES) {
    const probe = container.probes[name];
    if (probe === undefined) continue;
    const nextAt = firstTry(probe, startedMono, now);
    probes[name] = { verdict: FIRST_VERDICT[name], last: undefined, run: 0, nextAt };
  }
  return probes;
}

/**
 * A kubelet's probe knows that its container runs up to a second later, and then tries at its next tick, which may come at
 * any time within a period: a second after the start is as early as it usually gets. Earlier would only tell of servers
 * that have not had the time to listen.
 */
const NOTICED_AFTER_SECONDS = 1;

/** Never before the delay since the process started; a probe that waited for its turn does not wait for a period too. */
function firstTry(probe: Probe, startedMono: MonoNs, now: MonoNs): MonoNs {
  const delayed = startedMono + seconds(Math.max(NOTICED_AFTER_SECONDS, probe.initialDelaySeconds));
  return delayed > now ? delayed : now;
}

/** status.started of an instance that runs. */
export function isStarted({ probes }: ContainerRecord): boolean {
  return probes.startup === undefined || probes.startup.verdict === 'success';
}

/** status.ready of an instance that runs. */
export function isReady(container: ContainerRecord): boolean {
  const { readiness } = container.probes;
  return isStarted(container) && (readiness === undefined || readiness.verdict === 'success');
}

/**
 * The probes that are being tried now. None before postStart has returned, none but startup until that has succeeded;
 * while an instance is being stopped, or its pod, only its readiness is still of interest (prober_manager.go:
 * StopLivenessAndStartup).
 */
export function activeProbes(record: PodRecord, container: ContainerRecord): readonly ProbeName[] {
  const { state, probes } = container;
  const stopping = state.phase === 'stopping' && state.wasRunning;
  if (state.phase !== 'running' && !stopping) return [];
  const ending = stopping || record.termination !== undefined;
  if (!isStarted(container)) return ending || probes.startup?.verdict !== 'unknown' ? [] : ['startup'];
  return NAMES.filter(
    (name) => probes[name] !== undefined && (name === 'readiness' || (name === 'liveness' && !ending)),
  );
}

/** When the next try is due; a new owner knows only that the delay must be over. */
export function dueAt(spec: Container, { state, probes }: ContainerRecord, name: ProbeName): MonoNs | undefined {
  const nextAt = probes[name]?.nextAt;
  const probe = spec.probes[name];
  if (nextAt !== undefined || probe === undefined || !('startedMono' in state)) return nextAt;
  return firstTry(probe, state.startedMono, 0n);
}

/** What a try that ended now makes of a probe. An error is thrown away, it says nothing about the container. */
export function judged(probe: Probe, state: ProbeState, outcome: ProbeOutcome, now: MonoNs): ProbeState {
  const nextAt = nextTry(probe, state, now);
  if (outcome === 'error') return { ...state, nextAt };
  const last = outcome === 'failure' ? 'failure' : 'success';
  const threshold = last === 'failure' ? probe.failureThreshold : probe.successThreshold;
  const run = Math.min(state.last === last ? state.run + 1 : 1, threshold);
  return { verdict: run >= threshold ? last : state.verdict, last, run, nextAt };
}

/** A ticker's next tick: a slow try delays only its own next one. */
function nextTry(probe: Probe, { nextAt }: ProbeState, now: MonoNs): MonoNs {
  const tick = (nextAt ?? now) + seconds(probe.periodSeconds);
  return tick > now ? tick : now;
}

/** The probes once startup has succeeded: the others begin at once. */
export function released(container: Container, probes: Probes, startedMono: MonoNs, now: MonoNs): Probes {
  const begun: Partial<Record<ProbeName, ProbeState>> = { ...probes };
  for (const name of ['liveness', 'readiness'] as const) {
    const probe = container.probes[name];
    const state = probes[name];
    if (probe !== undefined && state !== undefined) {
      begun[name] = { ...state, nextAt: firstTry(probe, startedMono, now) };
    }
  }
  return begun;
}

/** The event texts begin with a capital: `Liveness probe failed: …`. */
export function titleOf(probe: ProbeName): string {
  return probe.charAt(0).toUpperCase() + probe.slice(1);
}
