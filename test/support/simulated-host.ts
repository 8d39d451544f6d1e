import { SECOND } from '../../src/base/clock.ts';
import type { Action } from '../../src/pod/plan.ts';
import type { HookName } from '../../src/pod/record.ts';
import { killMoment } from '../../src/pod/stop.ts';
import { type Instance, type Surroundings, liveId, ns, pick } from './simulated-instance.ts';

/** Containers and hooks that live and die by a script; what the real actor does, it answers to the same actions. */
export class SimulatedHost {
  readonly #around: Surroundings;
  readonly #instances = new Map<string, Instance>();
  readonly #born = new Map<string, number>();
  readonly #createFailed = new Map<string, number>();
  /** What the present owner waits for, by instance. */
  #waiting: { readonly come: () => boolean; readonly then: () => void }[] = [];
  #sandboxFailed = 0;
  #owner = 0;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  /** A new owner takes up what runs: it will be told of every exit, also of those that nobody saw. */
  adopt(): void {
    this.#owner++;
    this.#waiting = [];
    for (const { state } of this.#around.record().containers) {
      const instance = this.#instances.get(liveId(state) ?? '');
      if (instance !== undefined) this.#follow(instance);
    }
  }

  perform(action: Action, done: () => void): void {
    const { later } = this.#around;
    switch (action.kind) {
      case 'sandbox':
        return this.#sandbox(done);
      case 'teardown':
        this.#around.happened({ kind: 'teardown' });
        return later(() => {
          this.#around.emit({ kind: 'sandboxRemoved' });
          done();
        });
      case 'follow':
      case 'measure':
        // Nothing ever changes here.
        return;
      case 'start':
        return this.#start(action.name, done);
      case 'hook':
        return this.#hook(action, done);
      case 'probe':
        return this.#probe(action, done);
      case 'endHook':
        return later(() => {
          this.#endHook(action.id, action.hook, { ok: false, cut: action.why === 'grace' });
          this.#when(() => !this.#isOpen(action.name, action.hook), done);
        });
      case 'signal':
      case 'hasten':
        return later(() => {
          this.#stop(action);
          done();
        });
      case 'kill':
        return later(() => {
          const instance = this.#instances.get(action.id);
          if (instance !== undefined) this.#die(instance, 137, false);
          this.#when(() => this.#isToldDead(action.name, action.id), done);
        });
      default:
        return action satisfies never;
    }
  }

  /** Calls `then` for the present owner as soon as it is true, after every event. */
  #when(come: () => boolean, then: () => void): void {
    if (come()) return then();
    this.#waiting.push({ come, then });
  }

  /** To be called after every event. */
  settle(): void {
    const due = this.#waiting.filter(({ come }) => come());
    this.#waiting = this.#waiting.filter((one) => !due.includes(one));
    for (const { then } of due) then();
  }

  #sandbox(done: () => void): void {
    const { script, emit, happened, later, now } = this.#around;
    happened({ kind: 'sandbox' });
    later(() => {
      if (this.#sandboxFailed++ < script.sandboxFailures) {
        emit({ kind: 'sandboxFailed', message: 'no address', retryAt: now() + 10n * SECOND });
      } else emit({ kind: 'sandboxReady', ip: '10.1.2.3' });
      done();
    });
  }

  #start(name: string, done: () => void): void {
    const { script, record, tell, later, happened, now } = this.#around;
    const index = script.pod.containers.findIndex((one) => one.name === name);
    const own = script.containers[index];
    const state = record().containers[index]?.state;
    if (own === undefined || state === undefined) throw new Error(`no container ${name}`);
    if (state.phase === 'creating') return this.#sweep(name, state.id, done);
    const attempts = this.#createFailed.get(name) ?? 0;
    const id = `${name}-${this.#instances.size}-${attempts}-${String(now())}`;
    happened({ kind: 'create', name, id });
    tell(name, { kind: 'create', id });
    later(() => {
      if (attempts < own.createFailures) {
        this.#createFailed.set(name, attempts + 1);
        const retryAt = now() + 10n * SECOND;
        tell(name, { kind: 'createFailed', reason: 'ErrImagePull', message: 'none', retryAt, events: [] });
        return done();
      }
      tell(name, { kind: 'imageReady', image: { name: 'i', id: 'i' }, stopSignal: undefined, message: 'here' });
      const number = this.#born.get(name) ?? 0;
      this.#born.set(name, number + 1);
      const instance: Instance = {
        name,
        id,
        script: own,
        number,
        exit: undefined,
        hooks: new Map(),
        probes: new Map(),
      };
      this.#instances.set(id, instance);
      tell(name, { kind: 'created', id, user: { uid: 0, gid: 0, groups: [0] } });
      later(() => {
        this.#startProcess(instance, done);
      });
    });
  }

  /** An owner died while it made this instance. */
  #sweep(name: string, id: string, done: () => void): void {
    const { later, tell, now } = this.#around;
    later(() => {
      const instance = this.#instances.get(id);
      if (instance !== undefined) this.#die(instance, 137, false);
      const event = { kind: 'createFailed', reason: 'ContainerCreating', message: 'again', events: [] } as const;
      if (instance === undefined) tell(name, { ...event, retryAt: now() });
      this.#when(() => instance === undefined || this.#isToldDead(name, id), done);
    });
  }

  #startProcess(instance: Instance, done: () => void): void {
    const { record, happened, tell, wall, now, at } = this.#around;
    const { name, id, script, number } = instance;
    if (record().termination !== undefined) {
      this.#follow(instance);
      this.#die(instance, 137, false);
      return this.#when(() => this.#isToldDead(name, id), done);
    }
    if (pick(script.startFails, number) === true) {
      instance.exit = { code: 128, mono: now(), wall: wall() };
      happened({ kind: 'dead', name, id, code: 128, own: true });
      tell(name, { kind: 'startFailed', id, message: 'exec: no such file', wall: wall() });
      return done();
    }
    happened({ kind: 'born', name, id });
    const life = pick(script.lives, number);
    if (life?.after !== undefined) {
      at(now() + ns(life.after), () => {
        this.#die(instance, life.code, true);
      });
    }
    this.#follow(instance);
    tell(name, { kind: 'started', id, wall: wall() });
    done();
  }

  #hook({ name, id, hook }: Extract<Action, { kind: 'hook' }>, done: () => void): void {
    const { happened, now, at, tell, later } = this.#around;
    const instance = this.#instances.get(id);
    if (instance === undefined) throw new Error(`${hook} of ${id}, which does not exist`);
    if (!instance.hooks.has(hook)) {
      happened({ kind: 'hook', name, id, hook });
      instance.hooks.set(hook, { over: undefined });
      const script = hook === 'preStop' ? instance.script.preStop : pick(instance.script.postStart, instance.number);
      const takes = instance.exit === undefined ? (script?.takes ?? 0) : 0;
      const ok = instance.exit === undefined && (script?.ok ?? true);
      at(now() + ns(takes), () => {
        this.#endHook(id, hook, { ok, cut: false });
      });
    }
    this.#when(
      () => instance.hooks.get(hook)?.over !== undefined,
      () => {
        const over = instance.hooks.get(hook)?.over;
        if (over === undefined) return;
        const { ok, cut } = over;
        later(() => {
          tell(name, { kind: 'hookEnded', id, hook, ok, message: 'failed', detail: '', byDeadline: cut });
          done();
        });
      },
    );
  }

  #probe({ name, id, probe }: Extract<Action, { kind: 'probe' }>, done: () => void): void {
    const { happened, later, tell, now, at } = this.#around;
    const instance = this.#instances.get(id);
    if (instance === undefined) throw new Error(`${probe} of ${id}, which does not exist`);
    happened({ kind: 'probe', name, id, probe });
    const tries = instance.probes.get(probe) ?? 0;
    instance.probes.set(probe, tries + 1);
    const outcome = pick(instance.script.probes[probe], tries) ?? 'success';
    const due = now() + ns(instance.script.probeTakes);
    // An owner that dies over a try takes it along.
    const owner = this.#owner;
    at(due, () => {
      if (owner !== this.#owner) return;
      later(() => {
        // Of an instance that is gone there is nothing to say but its end.
        if (instance.exit !== undefined) return this.#when(() => this.#isToldDead(name, id), done);
        tell(name, { kind: 'probed', id, probe, outcome, output: '' });
        done();
      });
    });
  }

  #endHook(id: string, hook: HookName, over: { ok: boolean; cut: boolean }): void {
    const instance = this.#instances.get(id);
    const run = instance?.hooks.get(hook);
    if (instance === undefined || run === undefined || run.over !== undefined) return;
    instance.hooks.set(hook, { over });
    this.#around.happened({ kind: 'hookOver', name: instance.name, id, hook, ok: over.ok });
    this.settle();
  }

  #isOpen(name: string, hook: HookName): boolean {
    const run = this.#around.record().containers.find((one) => one.name === name)?.hooks[hook];
    return run !== undefined && run.ended === undefined;
  }

  #stop(action: Extract<Action, { kind: 'signal' | 'hasten' }>): void {
    const { record, now, at, happened, tell } = this.#around;
    const { name, id } = action;
    const container = record().containers.find((one) => one.name === name);
    const instance = this.#instances.get(id);
    if (container?.state.phase !== 'stopping' || instance === undefined) return;
    const first = action.kind === 'signal';
    const { termination } = record();
    const killAt = first ? killMoment(container.state, container.hooks.preStop, termination, now()) : action.killAt;
    at(killAt > now() ? killAt : now(), () => {
      this.#die(instance, 137, false);
    });
    if (first) {
      happened({ kind: 'signal', name, id, killAt });
      const { onSignal } = instance.script;
      if (onSignal !== 'deaf') {
        at(now() + ns(onSignal.after), () => {
          this.#die(instance, onSignal.code, false);
        });
      }
    }
    tell(name, { kind: 'signaled', id, at: now(), killAt });
  }

  #die(instance: Instance, code: number, own: boolean): void {
    if (instance.exit !== undefined) return;
    const { name, id } = instance;
    instance.exit = { code, mono: this.#around.now(), wall: this.#around.wall() };
    this.#around.happened({ kind: 'dead', name, id, code, own });
    for (const hook of instance.hooks.keys()) this.#endHook(id, hook, { ok: false, cut: false });
    this.settle();
  }

  /** Tells the present owner of the exit, a little after it came. */
  #follow(instance: Instance): void {
    const { later, tell } = this.#around;
    const { name, id } = instance;
    this.#when(
      () => instance.exit !== undefined,
      () => {
        later(() => {
          if (instance.exit === undefined) return;
          const { code, ...seen } = instance.exit;
          const how = code === 137 ? ({ kind: 'signaled', signal: 9 } as const) : ({ kind: 'exited', code } as const);
          tell(name, { kind: 'exited', id, exit: { ...seen, message: undefined, ...how } });
        });
      },
    );
  }

  #isToldDead(name: string, id: string): boolean {
    const state = this.#around.record().containers.find((one) => one.name === name)?.state;
    return state === undefined || liveId(state) !== id;
  }
}
