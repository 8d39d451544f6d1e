/** How a container is brought to its end: the stop, its hooks, its signal. The container's table is lifecycle.ts. */
import type { MonoNs } from '../base/clock.ts';
import type { Container, Pod } from '../manifest/pod.ts';
import type { ContainerEvent, Context, Stepped } from './container-event.ts';
import { eventOf, failureOf, remark } from './notes.ts';
import { firstProbes } from './probing.ts';
import type { Because, Begun, ContainerRecord, Stopping } from './record.ts';
import { comesBackAfterProbe } from './restart.ts';
import { stopBudget } from './stop.ts';

type EventOf<K extends ContainerEvent['kind']> = Extract<ContainerEvent, { kind: K }>;

/** Why and how a stop begins. */
export interface StopCause {
  readonly because: Because;
  /** The failed postStart's message. */
  readonly error?: string;
  /** The grace period ended while postStart ran: nothing of it is left. */
  readonly hookCut?: boolean;
}

/** Begins to stop an instance that runs: preStop first, if there is one and time for it (killContainer). */
export function stop(context: Context, container: ContainerRecord, cause: StopCause): Stepped {
  const { state, name } = container;
  if (state.phase !== 'running' && state.phase !== 'starting') return { container, notes: [] };
  const { pod, record, spec, moment } = context;
  const { because, error } = cause;
  const budget = cause.hookCut === true ? 0 : stopBudget({ pod, record, spec }, because, moment.at);
  const hooked = spec.preStop !== undefined && budget > 0 && record.termination?.now !== true;
  const stopping: Stopping = {
    phase: 'stopping',
    ...begunOf(state),
    because,
    since: moment.at,
    budget,
    wasRunning: state.phase === 'running',
    signaled: undefined,
    error,
  };
  const notes = [eventOf(name, 'Normal', 'Killing', killingText(pod, spec, because))];
  if (spec.preStop !== undefined && !hooked) notes.push(remark(name, `preStop not run: ${whyNoHook(cause)}`));
  const preStop = hooked ? { execId: 'prestop', since: moment.at, ended: undefined } : undefined;
  return { container: { ...container, state: stopping, hooks: { ...container.hooks, preStop } }, notes };
}

function killingText(pod: Pod, spec: Container, because: Because): string {
  switch (because) {
    case 'terminated':
    case 'completed':
      return `Stopping container ${spec.name}`;
    case 'postStart':
      return 'FailedPostStartHook';
    case 'restartAll':
      return 'killing';
    case 'startup':
    case 'liveness': {
      if (spec.role === 'sidecar') return `Init container ${spec.name} failed ${because} probe`;
      const next = comesBackAfterProbe(pod, spec) ? ', will be restarted' : '';
      return `Container ${spec.name} failed ${because} probe${next}`;
    }
    default:
      return because satisfies never;
  }
}

function whyNoHook({ because, hookCut }: StopCause): string {
  if (hookCut === true) return 'postStart was still running when the grace period ended';
  return because === 'restartAll' ? 'all containers are being restarted' : 'no grace period was left';
}

/** What of a state outlives its change. */
export function begunOf({ id, startedAt, startedMono }: Begun): Begun {
  return { id, startedAt, startedMono };
}

/** The instance is what it was started for: RUNNING, with its probes at their beginning. */
export function nowRunning(context: Context, container: ContainerRecord, begun: Begun): ContainerRecord {
  const probes = firstProbes(context.spec, begun.startedMono, context.moment.at);
  return { ...container, state: { phase: 'running', ...begunOf(begun) }, probes };
}

export function postStartEnded(context: Context, before: ContainerRecord, event: EventOf<'hookEnded'>): Stepped {
  const container = endHook(before, event, context.moment.at);
  const { state } = container;
  if (container === before) return { container, notes: [] };
  if (state.phase === 'starting') {
    if (event.byDeadline) return stop(context, container, { because: 'terminated', hookCut: true });
    if (event.ok) return { container: nowRunning(context, container, state), notes: [] };
    const failed = failureOf(container.name, 'FailedPostStartHook', 'PostStartHook failed', event.detail);
    const stopped = stop(context, container, { because: 'postStart', error: event.message });
    return { container: stopped.container, notes: [failed, ...stopped.notes] };
  }
  if (state.phase === 'exited' && !event.ok && !event.byDeadline) {
    const shown = { reason: 'PostStartHookError', message: event.message };
    return {
      container: { ...container, state: { ...state, shown } },
      notes: [
        failureOf(container.name, 'FailedPostStartHook', 'PostStartHook failed', event.detail),
        eventOf(container.name, 'Normal', 'Killing', 'FailedPostStartHook'),
      ],
    };
  }
  return { container, notes: [] };
}

export function preStopEnded(context: Context, before: ContainerRecord, event: EventOf<'hookEnded'>): Stepped {
  const container = endHook(before, event, context.moment.at);
  if (container === before || event.ok) return { container, notes: [] };
  const notes = [failureOf(container.name, 'FailedPreStopHook', 'PreStopHook failed', event.detail)];
  if (container.state.phase === 'exited') {
    notes.push(remark(container.name, 'the container exited while its preStop hook ran'));
  }
  return { container, notes };
}

function endHook(container: ContainerRecord, event: EventOf<'hookEnded'>, at: MonoNs): ContainerRecord {
  const run = container.hooks[event.hook];
  if (run === undefined || run.ended !== undefined) return container;
  const ended = { at: event.at === undefined || event.at < run.since ? at : event.at, ok: event.ok };
  return { ...container, hooks: { ...container.hooks, [event.hook]: { ...run, ended } } };
}

/** The first signal starts the clock of SIGKILL; a later one can only move it earlier. */
export function signaled(container: ContainerRecord, state: Stopping, event: EventOf<'signaled'>): Stepped {
  const earlier = state.signaled;
  const at = earlier?.at ?? event.at;
  const killAt = earlier !== undefined && earlier.killAt < event.killAt ? earlier.killAt : event.killAt;
  return { container: { ...container, state: { ...state, signaled: { at, killAt } } }, notes: [] };
}
