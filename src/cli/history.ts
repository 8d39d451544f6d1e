import type { ContainerState, ContainerStatus } from 'kubernetes-types/core/v1.js';
import type { Container, V1Pod } from '../manifest/pod.ts';
import type { JournalEntry } from '../pod/journal-entry.ts';
import { notCreated } from '../pod/record.ts';
import type { PodView } from '../pod/view.ts';
import { conditionsOf } from './conditions.ts';

type StateEntry = Extract<JournalEntry, { kind: 'state' }>;

/** Entries of one step are written this close together, in ns; what they say counts as one change. */
const ONE_STEP = 1_000_000n;

/**
 * A pod's looks, rebuilt from its journal, so that a watcher misses no change however late it comes and however fast
 * changes follow each other. Where the pod's own files say the same, theirs is shown: it has the exact times.
 */
export class History {
  #object: V1Pod;
  #stamp = 0n;
  #held = true;

  constructor(view: PodView) {
    this.#object = beginning(view);
  }

  get object(): V1Pod {
    return this.#object;
  }

  /** Whether there is a change that has not been shown; more of the same step may follow. */
  get held(): boolean {
    return this.#held;
  }

  /** Whether what is held is complete before `entry`, because that belongs to a later step. */
  endsBefore(entry: JournalEntry): boolean {
    const sameStep = (entry.kind === 'state' || entry.kind === 'phase') && BigInt(entry.t) - this.#stamp < ONE_STEP;
    return this.#held && !sameStep;
  }

  /** Takes in one more entry. */
  apply(entry: JournalEntry): void {
    const before = looks(this.#object);
    this.#object = after(this.#object, entry);
    if (looks(this.#object) !== before) this.#held = true;
    this.#stamp = BigInt(entry.t);
  }

  /** Takes the pod as its files have it, if that looks the same. */
  confirm(current: V1Pod | undefined): boolean {
    if (current === undefined || looks(current) !== looks(this.#object)) return false;
    this.#object = current;
    return true;
  }

  /** Hands out what is held. */
  show(): V1Pod {
    this.#held = false;
    return this.#object;
  }
}

/** As it was registered, before anyone took it. */
function beginning({ object, pod }: PodView): V1Pod {
  const { deletionTimestamp: _at, deletionGracePeriodSeconds: _grace, ...metadata } = object.metadata ?? {};
  const reason = notCreated(pod);
  const unborn = ({ name, image }: Container): ContainerStatus => ({
    ...{ name, image, imageID: '', state: { waiting: { reason } }, lastState: {} },
    ...{ ready: false, started: false, restartCount: 0 },
  });
  const inits = pod.containers.filter(({ role }) => role !== 'main').map(unborn);
  const mains = pod.containers.filter(({ role }) => role === 'main').map(unborn);
  return withConditions(
    {
      ...object,
      metadata,
      status: {
        phase: 'Pending',
        qosClass: object.status?.qosClass ?? 'BestEffort',
        ...(inits.length === 0 ? {} : { initContainerStatuses: inits }),
        containerStatuses: mains,
      },
    },
    false,
    object.metadata?.creationTimestamp ?? '',
  );
}

/** A condition keeps its moment for as long as it keeps its status. */
function withConditions(object: V1Pod, ready: boolean, at: string): V1Pod {
  const { spec, status = {} } = object;
  const conditions = conditionsOf(spec, status, ready).map((one) => {
    const before = status.conditions?.find(({ type }) => type === one.type);
    const since = before?.status === one.status ? before.lastTransitionTime : undefined;
    return { ...one, lastTransitionTime: since ?? wholeSecond(at) };
  });
  return { ...object, status: { ...status, conditions } };
}

function after(object: V1Pod, entry: JournalEntry): V1Pod {
  const status = object.status ?? {};
  switch (entry.kind) {
    case 'state': {
      const changed = (all: readonly ContainerStatus[]): ContainerStatus[] =>
        all.map((one) => (one.name === entry.container ? statusAfter(one, entry) : one));
      const { initContainerStatuses: inits, containerStatuses: mains } = status;
      const next = {
        ...status,
        ...(inits === undefined ? {} : { initContainerStatuses: changed(inits) }),
        ...(mains === undefined ? {} : { containerStatuses: changed(mains) }),
      };
      return withConditions({ ...object, status: next }, isReady(object), entry.wall);
    }
    case 'phase':
      return withConditions({ ...object, status: { ...status, phase: entry.phase } }, entry.ready, entry.wall);
    case 'terminate': {
      if (!entry.remove || object.metadata?.deletionTimestamp !== undefined) return object;
      const at = new Date(Date.parse(entry.wall) + entry.grace * 1000).toISOString();
      const deletion = { deletionTimestamp: wholeSecond(at), deletionGracePeriodSeconds: entry.grace };
      return { ...object, metadata: { ...object.metadata, ...deletion } };
    }
    default:
      return object;
  }
}

function statusAfter(status: ContainerStatus, entry: StateEntry): ContainerStatus {
  const terminated = status.state?.terminated ?? status.lastState?.terminated;
  const lastState = terminated === undefined || entry.state === 'terminated' ? status.lastState : { terminated };
  return {
    ...status,
    state: stateAfter(entry, status),
    ...(lastState === undefined ? {} : { lastState }),
    ready: entry.ready,
    started: entry.started,
    restartCount: entry.restartCount,
  };
}

function stateAfter(entry: StateEntry, before: ContainerStatus): ContainerState {
  const at = wholeSecond(entry.wall);
  const message = entry.message === undefined ? {} : { message: entry.message };
  const reason = entry.reason === undefined ? {} : { reason: entry.reason };
  if (entry.state === 'running') return { running: { startedAt: at } };
  if (entry.state === 'waiting') return { waiting: { ...reason, ...message } };
  const startedAt = before.state?.running?.startedAt ?? at;
  return { terminated: { exitCode: entry.exitCode ?? 0, ...reason, ...message, startedAt, finishedAt: at } };
}

function wholeSecond(iso: string): string {
  return iso.replace(/\.\d+Z$/, 'Z');
}

function isReady({ status }: V1Pod): boolean {
  return status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True';
}

/** What makes two states of a pod different to a watcher, as text. */
function looks(object: V1Pod): string {
  const { phase, initContainerStatuses = [], containerStatuses = [] } = object.status ?? {};
  const containers = [...initContainerStatuses, ...containerStatuses].map(
    ({ name, state, ready: up, started, restartCount }) => [
      ...[name, up, started, restartCount, state?.running !== undefined],
      ...[state?.waiting?.reason, state?.waiting?.message],
      ...[state?.terminated?.exitCode, state?.terminated?.reason, state?.terminated?.message],
    ],
  );
  return JSON.stringify([phase, isReady(object), object.metadata?.deletionTimestamp !== undefined, containers]);
}
