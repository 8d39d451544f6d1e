import { readFile, rm } from 'node:fs/promises';
import { abortReason } from '../../base/clock.ts';
import { MinirtError, messageOf } from '../../base/errors.ts';
import type { Container } from '../../manifest/pod.ts';
import { containerPaths } from '../../state/paths.ts';
import type { Actor, EngineView } from '../engine.ts';
import type { Action } from '../plan.ts';
import type { ContainerRecord, HookName } from '../record.ts';
import { signalNumber } from '../signals.ts';
import { MINIMUM_SECONDS, killMoment } from '../stop.ts';
import { followObjects } from './follow.ts';
import { measureStorage } from './measure.ts';
import { runHook } from './hook.ts';
import type { PodHostPorts } from './host.ts';
import { type Live, type LiveOptions, adopt, clientOf, discard, startOf } from './live.ts';
import { type LatestTries, runProbe } from './probe.ts';
import { createSandbox, removeSandboxOf } from './sandbox.ts';
import { liveOptions, startContainer } from './start.ts';

type ActionOf<K extends Action['kind']> = Extract<Action, { kind: K }>;

/** Carries out one pod's actions on this host. */
export class PodActor implements Actor {
  readonly #ports: PodHostPorts;
  readonly #live = new Map<string, Live>();
  /** Ends each hook of each container's latest instance before it is done; the reason is a {@link HookCut}. */
  readonly #cuts = new Map<string, { readonly id: string; readonly end: AbortController }>();
  /** How the latest try of each probe went, by container and probe. */
  readonly #probes: LatestTries = new Map();
  readonly #letGo = new AbortController();
  /** What goes on about the volumes until their end. */
  readonly #onVolumes = new Set<Promise<void>>();
  readonly #noMoreVolumes = new AbortController();

  constructor(ports: PodHostPorts) {
    this.#ports = ports;
  }

  async perform(action: Action, engine: EngineView): Promise<void> {
    switch (action.kind) {
      case 'sandbox':
        return createSandbox(this.#ports, engine);
      case 'teardown':
        await Promise.all([...this.#live.values()].map((live) => live.released));
        this.#noMoreVolumes.abort();
        await Promise.allSettled(this.#onVolumes);
        return removeSandboxOf(this.#ports, engine);
      case 'follow':
        return this.#onVolume((signal) => followObjects(this.#ports, engine, signal));
      case 'measure':
        return this.#onVolume((signal) => measureStorage(this.#ports, engine, signal));
      case 'start':
        return this.#start(action, engine);
      case 'hook':
        return this.#hook(action, engine);
      case 'probe':
        return this.#probe(action, engine);
      case 'endHook':
        return this.#endHook(action, engine);
      case 'signal':
        return this.#signal(action, engine);
      case 'hasten':
        return this.#hasten(action, engine);
      case 'kill':
        return this.#kill(action, engine);
      default:
        return action satisfies never;
    }
  }

  /** Takes up what an earlier owner left running; before the engine starts to plan. */
  async adopt(engine: EngineView, notedUntil: bigint): Promise<void> {
    const found = new Map<string, () => Live>();
    for (const { state, name } of engine.record.containers) {
      if (state.phase === 'exited') await this.#sweepExited(engine, state.terminated.containerId);
      if (state.phase === 'waiting' || state.phase === 'exited') continue;
      const options = { ...(await this.#optionsFor(engine, name, state.id)), notedUntil };
      if (state.phase === 'creating') {
        const start = await startOf(options);
        // Half made: swept when its turn comes.
        if (start === undefined) continue;
        const wall = new Date(start.wall).toISOString();
        engine.emit({ kind: 'container', name, event: { kind: 'started', id: state.id, wall } });
      }
      found.set(name, await adopt(options));
    }
    // All at once: what is told of one must not find the others missing.
    for (const [name, begin] of found) this.#live.set(name, begin());
  }

  /** Follows nothing any more; what runs, runs on for the next owner. */
  letGo(): void {
    this.#letGo.abort(new MinirtError('aborted', 'the owner lets go'));
  }

  /** Its owner may have died between telling the exit and tidying up. */
  async #sweepExited(engine: EngineView, id: string): Promise<void> {
    if (id === '') return;
    try {
      await (await this.#optionsFor(engine, '', id)).release();
    } catch (error) {
      this.#ports.log.warn({ container: id, error: messageOf(error) }, 'could not sweep a container');
    }
  }

  #onVolume(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const going = work(AbortSignal.any([this.#noMoreVolumes.signal, this.#letGo.signal]));
    this.#onVolumes.add(going);
    return going.finally(() => this.#onVolumes.delete(going));
  }

  async #start({ name }: ActionOf<'start'>, engine: EngineView): Promise<void> {
    const container = specOf(engine, name);
    const record = recordOf(engine, name);
    if (container === undefined || record === undefined) return;
    if (record.state.phase === 'creating') return this.#sweepHalfMade(engine, name, record.state.id);
    await startContainer({
      ports: this.#ports,
      engine,
      container,
      letGo: this.#letGo.signal,
      onLive: (live) => this.#live.set(name, live),
    });
  }

  /** An instance that an owner died over: it never became one, whatever is there of it goes. */
  async #sweepHalfMade(engine: EngineView, name: string, id: string): Promise<void> {
    const options = await this.#optionsFor(engine, name, id);
    await discard(options);
    await rm(options.paths.execs, { recursive: true, force: true });
    engine.emit({
      kind: 'container',
      name,
      event: {
        kind: 'createFailed',
        reason: 'ContainerCreating',
        message: 'its creation was interrupted and begins again',
        retryAt: this.#ports.clock.now(),
        events: [],
      },
    });
  }

  async #hook({ name, id, hook }: ActionOf<'hook'>, engine: EngineView): Promise<void> {
    const container = specOf(engine, name);
    if (container === undefined) return;
    const live = this.#live.get(name);
    await runHook({
      ports: this.#ports,
      engine,
      container,
      id,
      hook,
      // Of an earlier instance there is nothing to run in; its hook may have left a result.
      live: live?.id === id ? live : undefined,
      cut: this.#cutOf({ name, id, hook }).signal,
    });
  }

  async #probe({ name, id, probe }: ActionOf<'probe'>, engine: EngineView): Promise<void> {
    const container = specOf(engine, name);
    const live = this.#live.get(name);
    if (container === undefined) return;
    await runProbe({
      ports: this.#ports,
      engine,
      container,
      id,
      probe,
      live: live?.id === id ? live : undefined,
      latest: this.#probes,
    });
  }

  #cutOf({ name, id, hook }: { name: string; id: string; hook: HookName }): AbortController {
    const key = `${name} ${hook}`;
    const known = this.#cuts.get(key);
    if (known?.id === id) return known.end;
    const end = new AbortController();
    this.#cuts.set(key, { id, end });
    return end;
  }

  /** The leaf of the hook is killed, which ends the hook's own action. */
  async #endHook(action: ActionOf<'endHook'>, engine: EngineView): Promise<void> {
    const { name, hook, why } = action;
    this.#cutOf(action).abort(why);
    const execId = recordOf(engine, name)?.hooks[hook]?.execId ?? '';
    const live = this.#live.get(name);
    // Again and again: it may be about to begin.
    await until(this.#ports, async () => {
      const run = recordOf(engine, name)?.hooks[hook];
      if (run === undefined || run.ended !== undefined) return true;
      await live?.client?.execKill(execId).catch((error: unknown) => {
        this.#ports.log.debug({ error: messageOf(error) }, 'could not end hook');
      });
      return false;
    });
  }

  async #signal({ name, id }: ActionOf<'signal'>, engine: EngineView): Promise<void> {
    const record = recordOf(engine, name);
    if (record?.state.phase !== 'stopping') return;
    const signal = signalNumber(record.stopSignal);
    const at = this.#ports.clock.now();
    const killAt = killMoment(record.state, record.hooks.preStop, engine.record.termination, at);
    const live = this.#live.get(name);
    try {
      // The monitor counts the grace from the signal itself, so SIGKILL is never early.
      await clientOf(live).stop(signal, killAt - at);
    } catch (error) {
      // The process went by itself in this very moment, or its monitor did: either way its end is being told.
      this.#ports.log.debug({ error: messageOf(error) }, 'could not signal');
      await live?.gone;
      return this.#lost(name, id, engine);
    }
    engine.emit({ kind: 'container', name, event: { kind: 'signaled', id, at, killAt } });
  }

  async #hasten({ name, id, killAt }: ActionOf<'hasten'>, engine: EngineView): Promise<void> {
    const record = recordOf(engine, name);
    if (record?.state.phase !== 'stopping') return;
    const live = this.#live.get(name);
    const now = this.#ports.clock.now();
    try {
      await clientOf(live).stop(signalNumber(record.stopSignal), killAt > now ? killAt - now : 0n, killAt);
    } catch {
      await live?.gone;
      return this.#lost(name, id, engine);
    }
    engine.emit({ kind: 'container', name, event: { kind: 'signaled', id, at: now, killAt } });
  }

  async #kill({ name, id }: ActionOf<'kill'>, engine: EngineView): Promise<void> {
    const live = this.#live.get(name);
    await live?.client?.kill().catch(() => undefined);
    await live?.gone;
    this.#lost(name, id, engine);
  }

  /** There is nothing left to act on: ends the instance, unless its true end was told before. */
  #lost(name: string, id: string, engine: EngineView): void {
    const mono = this.#ports.clock.now();
    const wall = this.#ports.clock.wall().toISOString();
    const why = 'the container could not be found';
    const exit = { kind: 'lost', why, mono, wall, message: undefined } as const;
    engine.emit({ kind: 'container', name, event: { kind: 'exited', id, exit } });
  }

  async #optionsFor(engine: EngineView, name: string, id: string): Promise<LiveOptions> {
    const { uid } = engine.record;
    const paths = containerPaths(this.#ports.roots, uid, id);
    const path = await readFile(paths.cgroup, 'utf8').catch(() => undefined);
    const { cgroups } = this.#ports;
    const cgroup = path === undefined ? cgroups.container(uid, id) : cgroups.fromPath(path);
    return liveOptions(this.#ports, { engine, name, id, paths, cgroup, letGo: this.#letGo.signal });
  }
}

function specOf(engine: EngineView, name: string): Container | undefined {
  return engine.pod.containers.find((one) => one.name === name);
}

function recordOf(engine: EngineView, name: string): ContainerRecord | undefined {
  return engine.record.containers.find((one) => one.name === name);
}

/** Waits for something that another action is about to bring. */
async function until(ports: PodHostPorts, come: () => Promise<boolean>): Promise<void> {
  const step = BigInt(MINIMUM_SECONDS) * 10_000_000n;
  while (!(await come())) {
    if (ports.signal.aborted) throw abortReason(ports.signal);
    await new Promise<void>((resolve) => ports.clock.at(ports.clock.now() + step, resolve));
  }
}
