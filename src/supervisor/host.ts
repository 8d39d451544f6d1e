import { setMaxListeners } from 'node:events';
import { join } from 'node:path';
import { abortReason, systemClock } from '../base/clock.ts';
import { MinirtError, isMinirtError, messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { openCgroups } from '../container/cgroup.ts';
import { FileLock } from '../helper/flock.ts';
import { openImageStore } from '../image/store.ts';
import { ObjectStore } from '../objects/store.ts';
import { PodActor } from '../pod/act/actor.ts';
import type { PodHostPorts } from '../pod/act/host.ts';
import { Pulls } from '../pod/act/pulls.ts';
import { PodEngine } from '../pod/engine.ts';
import type { JournalEntry } from '../pod/journal-entry.ts';
import { Journal } from '../pod/journal.ts';
import { afterReboot } from '../pod/reboot.ts';
import type { StopRequest } from '../pod/stop.ts';
import { type PodView, readJournal, viewPod } from '../pod/view.ts';
import type { Roots } from '../state/paths.ts';
import { bootId } from '../sys/host.ts';
import { type Listening, type Method, listen } from './listen.ts';
import { dropPod, prepareState } from './registry.ts';
import { watchJournal } from './watch.ts';

export interface HostOptions {
  readonly owner: 'supervisor' | 'foreground';
  readonly log: Logger;
}

/** A pod that this process owns. */
export interface OwnedPod {
  readonly uid: string;
  /** Calls the listener for every journal entry from now on; returns the way to stop that. */
  readonly entries: (listener: (entry: JournalEntry) => void) => () => void;
  readonly terminate: (request: StopRequest) => void;
  /** The pod as it ended; by then it holds nothing on the host, and after a delete not even its name. */
  readonly done: Promise<PodView>;
}

/** Opens this process as an owner of pods. */
export async function openHost(roots: Roots, options: HostOptions): Promise<PodHost> {
  prepareState(roots);
  const stop = new AbortController();
  // Whatever waits for something in any of its pods listens to it.
  setMaxListeners(0, stop.signal);
  const ports: PodHostPorts = {
    roots,
    clock: systemClock,
    log: options.log,
    images: openImageStore(roots.root),
    pulls: new Pulls(),
    objects: new ObjectStore(roots),
    cgroups: await openCgroups({ state: roots.state, owner: options.owner }),
    signal: stop.signal,
  };
  return new PodHost(ports, stop);
}

/** Owns pods: holds their locks, runs their engines, answers on their sockets. */
export class PodHost {
  readonly #ports: PodHostPorts;
  readonly #stop: AbortController;
  readonly #owned = new Map<string, Promise<OwnedPod>>();
  readonly #engines = new Map<string, PodEngine>();

  constructor(ports: PodHostPorts, stop: AbortController) {
    this.#ports = ports;
    this.#stop = stop;
  }

  /** How many pods are not over yet. */
  get size(): number {
    return this.#owned.size;
  }

  /** Takes a pod; MinirtError state.busy when another process owns it. */
  own(uid: string): Promise<OwnedPod> {
    if (this.#stop.signal.aborted) return Promise.reject(abortReason(this.#stop.signal));
    const known = this.#owned.get(uid);
    if (known !== undefined) return known;
    const taken = this.#take(uid);
    this.#owned.set(uid, taken);
    taken.then(
      ({ done }) => done.catch(() => undefined).then(() => this.#owned.delete(uid)),
      () => this.#owned.delete(uid),
    );
    return taken;
  }

  /** Lets go of all pods; what runs, runs on for the next owner. */
  async close(): Promise<void> {
    this.#stop.abort(new MinirtError('supervisor.unreachable', 'own pod: the supervisor is closing'));
    for (const engine of this.#engines.values()) engine.release();
    await Promise.allSettled([...this.#owned.values()].map(async (owned) => (await owned).done));
  }

  async #take(uid: string): Promise<OwnedPod> {
    const view = await viewPod(this.#ports.roots, uid);
    const lock = await FileLock.tryAcquire(view.paths.lock);
    if (lock === undefined) {
      throw new MinirtError('state.busy', `own pod: ${view.name}: another process owns it`);
    }
    try {
      return await this.#run(uid, lock);
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** The record is read again under the lock: its last owner may have written until then. */
  async #run(uid: string, lock: FileLock): Promise<OwnedPod> {
    const { clock, log, roots, signal } = this.#ports;
    const { pod, record: found, paths } = await viewPod(roots, uid);
    const journal = new Journal(paths.journal, clock);
    const boot = bootId();
    const rebooted = found.bootId !== boot;
    // The stamps of another boot say nothing about this one.
    const earlier = rebooted ? undefined : (await readJournal(paths.journal)).at(-1);
    const moment = { at: clock.now(), wall: clock.wall().toISOString() };
    const record = rebooted ? afterReboot(found, moment, boot) : found;
    if (rebooted) journal.append({ kind: 'note', text: 'the host was restarted: what ran is lost' });
    const actor = new PodActor(this.#ports);
    const engine = new PodEngine({ pod, record, path: paths.state, journal, clock, log, actor });
    const over = new AbortController();
    const owned: Owned = { uid, engine, actor, journal, lock, over, socket: undefined };
    try {
      owned.socket = await listen(paths.socket, uid, methods(engine, paths.journal, over.signal));
      await actor.adopt(engine, BigInt(earlier?.t ?? '0'));
      if (signal.aborted) throw abortReason(signal);
    } catch (error) {
      await this.#letGo(owned);
      throw error;
    }
    this.#engines.set(uid, engine);
    const done = this.#finish(owned);
    engine.start();
    return {
      uid,
      entries: (listener) => engine.listen(listener),
      terminate: (request) => {
        engine.terminate(request);
      },
      done,
    };
  }

  #finish(owned: Owned): Promise<PodView> {
    const done = this.#untilOver(owned);
    done.catch((error: unknown) => {
      if (this.#stop.signal.aborted) return;
      this.#ports.log.error({ pod: owned.uid, error: messageOf(error) }, 'let go of a pod before its end');
    });
    return done;
  }

  async #untilOver(owned: Owned): Promise<PodView> {
    const { uid, engine } = owned;
    try {
      await engine.ended;
      const view = await viewPod(this.#ports.roots, uid);
      if (engine.record.termination?.remove === true) await dropPod(this.#ports.roots, view);
      return view;
    } finally {
      this.#engines.delete(uid);
      this.#ports.pulls.forget({ uid });
      await this.#letGo(owned);
    }
  }

  /** Nobody is told that it is over before the next one can take the pod; and by then its socket's path is free. */
  async #letGo({ engine, actor, journal, lock, over, socket }: Owned): Promise<void> {
    engine.release();
    actor.letGo();
    socket?.deafen();
    journal[Symbol.dispose]();
    await lock.release();
    over.abort();
    await socket?.[Symbol.asyncDispose]();
  }
}

interface Owned {
  readonly uid: string;
  readonly engine: PodEngine;
  readonly actor: PodActor;
  readonly journal: Journal;
  readonly lock: FileLock;
  /** Aborted once the pod is no longer ours. */
  readonly over: AbortController;
  socket: Listening | undefined;
}

/** What a pod's socket answers. */
function methods(engine: PodEngine, journal: string, over: AbortSignal): Readonly<Record<string, Method>> {
  return {
    async *terminate(params) {
      const { grace, remove, now } = params;
      engine.terminate({
        grace: typeof grace === 'number' ? grace : undefined,
        remove: remove === true,
        now: now === true,
      });
      yield { accepted: true };
    },
    watch: (params, signal) => watchJournal(engine, { journal, from: Number(params['from'] ?? 1), over, signal }),
  };
}

/** Whether an error says that somebody else owns the pod. */
export function isOwnedElsewhere(error: unknown): boolean {
  return isMinirtError(error, 'state.busy');
}

/** Lock of the one supervisor of a `--state`. */
export function supervisorLock(roots: Roots): string {
  return join(roots.state, 'supervisor.lock');
}
