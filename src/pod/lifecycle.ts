import type { MonoNs } from '../base/clock.ts';
import type { ContainerEvent, Context, Exit, Stepped } from './container-event.ts';
import type { Note } from './journal-entry.ts';
import type { Because, ContainerRecord, Stopping, Terminated } from './record.ts';
import { nextBackoff } from './restart.ts';
import { stopBudget } from './stop.ts';

export type { ContainerEvent, Exit, Moment, Stepped } from './container-event.ts';

/**
 * One container's table: what an event makes of its record, and what is to be noted. Pure; an event that does not fit
 * the present phase (late, or about an earlier instance) changes nothing.
 */
export function stepContainer(context: Context, container: ContainerRecord, event: ContainerEvent): Stepped {
  const { name, state } = container;
  const same = (notes: readonly Note[] = []): Stepped => ({ container, notes });
  if ('id' in event && event.kind !== 'create' && event.id !== idOf(container)) return same();
  switch (event.kind) {
    case 'create':
      return state.phase === 'waiting' || state.phase === 'exited' ? create(context, container, event.id) : same();
    case 'imageReady':
      return {
        container: { ...container, image: event.image, stopSignal: event.stopSignal },
        notes: [note(name, 'Normal', 'Pulled', event.message)],
      };
    case 'createFailed':
      return state.phase === 'creating' ? createFailed(container, event) : same();
    case 'created':
      return same([note(name, 'Normal', 'Created', 'Container created')]);
    case 'started':
      return state.phase === 'creating' ? started(context, container, event) : same();
    case 'startFailed':
      return state.phase === 'creating' ? startFailed(context, container, event) : same();
    case 'hookEnded':
      return event.hook === 'postStart'
        ? postStartEnded(context, container, event)
        : preStopEnded(context, container, event);
    case 'stop':
      return state.phase === 'running' ? stop(context, container, { because: event.because }) : same();
    case 'backOff':
      if (state.phase !== 'exited') return same();
      return {
        container: { ...container, state: { ...state, shown: { reason: 'CrashLoopBackOff', message: event.message } } },
        notes: [note(name, 'Warning', 'BackOff', event.event)],
      };
    case 'signaled':
      return state.phase === 'stopping' ? signaled(container, state, event) : same();
    case 'exited':
      return exited(context, container, event.exit);
    default:
      return event satisfies never;
  }
}

/** Id of the current or latest instance. */
export function idOf(container: ContainerRecord): string | undefined {
  const { state } = container;
  if (state.phase === 'waiting') return undefined;
  return state.phase === 'exited' ? state.terminated.containerId : state.id;
}

function create(context: Context, container: ContainerRecord, id: string): Stepped {
  const { state } = container;
  const again = state.phase === 'exited' ? state.terminated : undefined;
  return {
    container: {
      ...container,
      state: { phase: 'creating', id },
      hooks: { postStart: undefined, preStop: undefined },
      restartCount: container.restartCount + (again === undefined ? 0 : 1),
      last: again ?? container.last,
      lastShown: state.phase === 'exited' ? state.shown : container.lastShown,
      backoff:
        again === undefined ? container.backoff : nextBackoff(container.backoff, again.finishedMono, context.moment.at),
    },
    notes: [],
  };
}

function createFailed(container: ContainerRecord, event: Extract<ContainerEvent, { kind: 'createFailed' }>): Stepped {
  const { reason, message, retryAt } = event;
  return {
    container: { ...container, state: { phase: 'waiting', reason, message, retryAt } },
    notes: event.events.map((entry) => note(container.name, 'Warning', entry.reason, entry.message)),
  };
}

function started(
  context: Context,
  container: ContainerRecord,
  event: Extract<ContainerEvent, { kind: 'started' }>,
): Stepped {
  const notes = [note(container.name, 'Normal', 'Started', 'Container started')];
  const running = { id: event.id, startedAt: event.wall };
  if (context.spec.postStart === undefined) {
    return { container: { ...container, state: { phase: 'running', ...running } }, notes };
  }
  const postStart = { execId: 'poststart', since: context.moment.at, ended: undefined };
  return {
    container: {
      ...container,
      state: { phase: 'starting', ...running },
      hooks: { ...container.hooks, postStart },
    },
    notes,
  };
}

function startFailed(
  context: Context,
  container: ContainerRecord,
  event: Extract<ContainerEvent, { kind: 'startFailed' }>,
): Stepped {
  const { id, message, wall } = event;
  const terminated: Terminated = {
    exitCode: 128,
    reason: 'StartError',
    message,
    startedAt: undefined,
    finishedAt: wall,
    finishedMono: context.moment.at,
    containerId: id,
  };
  return {
    container: {
      ...container,
      state: { phase: 'exited', terminated, shown: { reason: 'RunContainerError', message } },
    },
    notes: [note(container.name, 'Warning', 'Failed', `Error: ${message}`)],
  };
}

function postStartEnded(
  context: Context,
  before: ContainerRecord,
  event: Extract<ContainerEvent, { kind: 'hookEnded' }>,
): Stepped {
  const container = endHook(before, event, context.moment.at);
  const { state } = container;
  if (container === before) return { container, notes: [] };
  if (state.phase === 'starting') {
    if (event.byDeadline) return stop(context, container, { because: 'terminated', hookCut: true });
    if (event.ok) {
      const { id, startedAt } = state;
      return { container: { ...container, state: { phase: 'running', id, startedAt } }, notes: [] };
    }
    const failed = failure(container.name, 'FailedPostStartHook', 'PostStartHook failed', event.detail);
    const stopped = stop(context, container, { because: 'postStart', error: event.message });
    return { container: stopped.container, notes: [failed, ...stopped.notes] };
  }
  if (state.phase === 'exited' && !event.ok && !event.byDeadline) {
    const shown = { reason: 'PostStartHookError', message: event.message };
    return {
      container: { ...container, state: { ...state, shown } },
      notes: [
        failure(container.name, 'FailedPostStartHook', 'PostStartHook failed', event.detail),
        note(container.name, 'Normal', 'Killing', 'FailedPostStartHook'),
      ],
    };
  }
  return { container, notes: [] };
}

function preStopEnded(
  context: Context,
  before: ContainerRecord,
  event: Extract<ContainerEvent, { kind: 'hookEnded' }>,
): Stepped {
  const container = endHook(before, event, context.moment.at);
  if (container === before || event.ok) return { container, notes: [] };
  const notes = [failure(container.name, 'FailedPreStopHook', 'PreStopHook failed', event.detail)];
  if (container.state.phase === 'exited') {
    notes.push({ kind: 'note', container: container.name, text: 'the container exited while its preStop hook ran' });
  }
  return { container, notes };
}

function endHook(
  container: ContainerRecord,
  event: Extract<ContainerEvent, { kind: 'hookEnded' }>,
  at: MonoNs,
): ContainerRecord {
  const run = container.hooks[event.hook];
  if (run === undefined || run.ended !== undefined) return container;
  return { ...container, hooks: { ...container.hooks, [event.hook]: { ...run, ended: { at, ok: event.ok } } } };
}

function stop(
  context: Context,
  container: ContainerRecord,
  how: { because: Because; error?: string; hookCut?: boolean },
): Stepped {
  const { state, name } = container;
  if (state.phase !== 'running' && state.phase !== 'starting') return { container, notes: [] };
  const { at } = context.moment;
  const budget = how.hookCut === true ? 0 : stopBudget(context.pod, context.record, at);
  const hooked = context.spec.preStop !== undefined && budget > 0 && context.record.termination?.now !== true;
  const stopping: Stopping = {
    phase: 'stopping',
    id: state.id,
    startedAt: state.startedAt,
    because: how.because,
    since: at,
    budget,
    wasRunning: state.phase === 'running',
    signaled: undefined,
    error: how.error,
  };
  const text = how.because === 'postStart' ? 'FailedPostStartHook' : `Stopping container ${name}`;
  const notes = [note(name, 'Normal', 'Killing', text)];
  if (context.spec.preStop !== undefined && !hooked) {
    const why =
      how.hookCut === true ? 'postStart was still running when the grace period ended' : 'no grace period was left';
    notes.push({ kind: 'note', container: name, text: `preStop not run: ${why}` });
  }
  const preStop = hooked ? { execId: 'prestop', since: at, ended: undefined } : undefined;
  return { container: { ...container, state: stopping, hooks: { ...container.hooks, preStop } }, notes };
}

/** The first signal starts the clock of SIGKILL; a later one can only move it earlier. */
function signaled(
  container: ContainerRecord,
  state: Stopping,
  event: Extract<ContainerEvent, { kind: 'signaled' }>,
): Stepped {
  const earlier = state.signaled;
  const at = earlier?.at ?? event.at;
  const killAt = earlier !== undefined && earlier.killAt < event.killAt ? earlier.killAt : event.killAt;
  return { container: { ...container, state: { ...state, signaled: { at, killAt } } }, notes: [] };
}

function exited(context: Context, container: ContainerRecord, exit: Exit): Stepped {
  const { state, name } = container;
  if (state.phase === 'waiting' || state.phase === 'exited') return { container, notes: [] };
  const exitCode = exit.kind === 'exited' ? exit.code : exit.kind === 'signaled' ? 128 + exit.signal : 137;
  const lost = exit.kind === 'lost';
  const terminated: Terminated = {
    exitCode,
    reason: lost ? 'ContainerStatusUnknown' : exitCode === 0 ? 'Completed' : 'Error',
    message: lost ? exit.why : exit.message,
    startedAt: state.phase === 'creating' ? undefined : state.startedAt,
    finishedAt: exit.wall,
    finishedMono: exit.mono,
    containerId: state.id,
  };
  const error = state.phase === 'stopping' ? state.error : undefined;
  const notes: Note[] = [];
  if (context.spec.preStop !== undefined && (state.phase === 'starting' || state.phase === 'running')) {
    const own = exitCode === 0 ? 'completed by itself' : `ended by itself with exit code ${exitCode}`;
    const how = context.record.termination?.now === true ? 'was killed at once' : own;
    notes.push({ kind: 'note', container: name, text: `preStop not run: the container ${how}` });
  }
  const shown = error === undefined ? undefined : { reason: 'PostStartHookError', message: error };
  return { container: { ...container, state: { phase: 'exited', terminated, shown } }, notes };
}

function note(container: string, type: 'Normal' | 'Warning', reason: string, message: string): Note {
  return { kind: 'event', type, reason, message, container };
}

/** The kubelet's own text first, then what it would have hidden. */
function failure(container: string, reason: string, text: string, detail: string): Note {
  return note(container, 'Warning', reason, detail === '' ? text : `${text}: ${detail}`);
}
