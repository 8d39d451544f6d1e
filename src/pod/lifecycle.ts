import type { ContainerEvent, Context, Exit, Stepped } from './container-event.ts';
import type { Note, ProbeOutcome } from './journal-entry.ts';
import { eventOf, remark } from './notes.ts';
import { activeProbes, judged, released, titleOf } from './probing.ts';
import { type ContainerRecord, OOM_KILLED, type Terminated } from './record.ts';
import { backoffAfterRestart } from './restart.ts';
import { nowRunning, postStartEnded, preStopEnded, signaled, stop } from './stopping.ts';

export type { ContainerEvent, Exit, Stepped } from './container-event.ts';

type EventOf<K extends ContainerEvent['kind']> = Extract<ContainerEvent, { kind: K }>;

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
        notes: [eventOf(name, 'Normal', 'Pulled', event.message)],
      };
    case 'createFailed':
      return state.phase === 'creating' ? createFailed(container, event) : same();
    case 'created':
      return {
        container: { ...container, user: event.user },
        notes: [eventOf(name, 'Normal', 'Created', 'Container created')],
      };
    case 'started':
      return state.phase === 'creating' ? started(context, container, event) : same();
    case 'startFailed':
      return state.phase === 'creating' ? startFailed(context, container, event) : same();
    case 'hookEnded':
      return event.hook === 'postStart'
        ? postStartEnded(context, container, event)
        : preStopEnded(context, container, event);
    case 'probed':
      return probed(context, container, event);
    case 'stop':
      return state.phase === 'running' || event.because === 'restartAll'
        ? stop(context, container, { because: event.because })
        : same();
    case 'pullBackOff':
      return pullWaits(container);
    case 'backOff':
      if (state.phase !== 'exited') return same();
      return {
        container: { ...container, state: { ...state, shown: { reason: 'CrashLoopBackOff', message: event.message } } },
        notes: [eventOf(name, 'Warning', 'BackOff', event.event)],
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
      probes: {},
      restartCount: container.restartCount + (again === undefined ? 0 : 1),
      last: again ?? container.last,
      lastShown: state.phase === 'exited' ? state.shown : container.lastShown,
      backoff: backoffAfterRestart(container, context.moment.at),
    },
    notes: [],
  };
}

function createFailed(container: ContainerRecord, event: EventOf<'createFailed'>): Stepped {
  const { reason, message, retryAt, pullBackOff } = event;
  const later = pullBackOff === undefined ? {} : { pullBackOff };
  return {
    container: { ...container, state: { phase: 'waiting', reason, message, retryAt, ...later } },
    notes: event.events.map((entry) => eventOf(container.name, 'Warning', entry.reason, entry.message)),
  };
}

function pullWaits(container: ContainerRecord): Stepped {
  const { state, name } = container;
  if (state.phase !== 'waiting' || state.pullBackOff === undefined) return { container, notes: [] };
  const { pullBackOff: shown, ...waiting } = state;
  const reason = 'ImagePullBackOff';
  return {
    container: { ...container, state: { ...waiting, reason, message: shown.message } },
    notes: [eventOf(name, 'Normal', 'BackOff', shown.event), eventOf(name, 'Warning', 'Failed', `Error: ${reason}`)],
  };
}

function started(context: Context, container: ContainerRecord, event: EventOf<'started'>): Stepped {
  const notes = [eventOf(container.name, 'Normal', 'Started', 'Container started')];
  const begun = { id: event.id, startedAt: event.wall, startedMono: context.moment.at };
  if (context.spec.postStart === undefined) return { container: nowRunning(context, container, begun), notes };
  const postStart = { execId: 'poststart', since: context.moment.at, ended: undefined };
  return {
    container: {
      ...container,
      state: { phase: 'starting', ...begun },
      hooks: { ...container.hooks, postStart },
    },
    notes,
  };
}

function startFailed(context: Context, container: ContainerRecord, event: EventOf<'startFailed'>): Stepped {
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
      state: { phase: 'exited', terminated, because: undefined, shown: { reason: 'RunContainerError', message } },
    },
    notes: [eventOf(container.name, 'Warning', 'Failed', `Error: ${message}`)],
  };
}

/** A try of a probe that ended: its event, its verdict, and what that leads to (pkg/kubelet/prober). */
function probed(context: Context, container: ContainerRecord, event: EventOf<'probed'>): Stepped {
  const { spec, moment } = context;
  const name = event.probe;
  const [probe, before] = [spec.probes[name], container.probes[name]];
  if (probe === undefined || before === undefined || !('startedMono' in container.state)) {
    return { container, notes: [] };
  }
  const notes = probeNotes(container.name, event);
  const after = judged(probe, before, event.outcome, moment.at);
  // One that was under way when its time was over is told of, and that is all.
  if (!activeProbes(context.record, container).includes(name)) return { container, notes };
  const probes = { ...container.probes, [name]: after };
  if (name === 'startup' && after.verdict === 'success') {
    const free = released(spec, probes, container.state.startedMono, moment.at);
    return { container: { ...container, probes: free }, notes };
  }
  const next = { ...container, probes };
  if (name === 'readiness' || after.verdict !== 'failure') return { container: next, notes };
  const stopped = stop(context, next, { because: name });
  return { container: stopped.container, notes: [...notes, ...stopped.notes] };
}

function probeNotes(container: string, { probe, outcome, output }: EventOf<'probed'>): readonly Note[] {
  const texts: Readonly<Record<ProbeOutcome, readonly [string, string] | undefined>> = {
    success: undefined,
    warning: ['ProbeWarning', `${titleOf(probe)} probe warning: ${output}`],
    failure: ['Unhealthy', `${titleOf(probe)} probe failed: ${output}`],
    error: ['Unhealthy', `${titleOf(probe)} probe errored and resulted in unknown state: ${output}`],
  };
  const text = texts[outcome];
  return text === undefined ? [] : [eventOf(container, 'Warning', ...text)];
}

function exited(context: Context, container: ContainerRecord, exit: Exit): Stepped {
  const { state, name } = container;
  if (state.phase === 'waiting' || state.phase === 'exited') return { container, notes: [] };
  const exitCode = exit.kind === 'exited' ? exit.code : exit.kind === 'signaled' ? 128 + exit.signal : 137;
  const lost = exit.kind === 'lost';
  const terminated: Terminated = {
    exitCode,
    reason: lost ? 'ContainerStatusUnknown' : reasonOf(exit, exitCode),
    message: lost ? exit.why : exit.message,
    startedAt: state.phase === 'creating' ? undefined : state.startedAt,
    finishedAt: exit.wall,
    finishedMono: exit.mono,
    containerId: state.id,
  };
  const stopping = state.phase === 'stopping' ? state : undefined;
  const notes: Note[] = [];
  if (context.spec.preStop !== undefined && (state.phase === 'starting' || state.phase === 'running')) {
    const own =
      exit.oomKilled === true
        ? `ran out of memory (${OOM_KILLED}, ${exitCode})`
        : exitCode === 0
          ? 'completed by itself'
          : `ended by itself with exit code ${exitCode}`;
    const how = context.record.termination?.now === true ? 'was killed at once' : own;
    notes.push(remark(name, `preStop not run: the container ${how}`));
  }
  const error = stopping?.error;
  const shown = error === undefined ? undefined : { reason: 'PostStartHookError', message: error };
  const after = { phase: 'exited', terminated, because: stopping?.because, shown } as const;
  return { container: { ...container, state: after }, notes };
}

/** As containerd has it: a process of it that was killed for want of memory is why, whatever came of the others. */
function reasonOf({ oomKilled = false }: Exit, exitCode: number): string {
  if (oomKilled) return OOM_KILLED;
  return exitCode === 0 ? 'Completed' : 'Error';
}
