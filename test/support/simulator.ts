import type { MonoNs } from '../../src/base/clock.ts';
import type { ContainerEvent } from '../../src/pod/lifecycle.ts';
import { type Action, type Plan, actionKey, plan } from '../../src/pod/plan.ts';
import { type PodRecord, decodeRecord, encodeRecord } from '../../src/pod/record.ts';
import { type PodEvent, stepPod } from '../../src/pod/step.ts';
import { aRecord, deepFreeze } from './pods.ts';
import type { Happening, Outcome, Script } from './script.ts';
import { SimulatedHost } from './simulated-host.ts';
import type { Unstamped } from './simulated-instance.ts';

const START: MonoNs = 1_000_000_000_000n;
const START_WALL = Date.parse('2026-01-01T00:00:00.500Z');
const MOST_ROUNDS = 200;
/** So much cannot happen at one moment, unless the rules go round in circles. */
const MOST_AT_ONCE = 2_000;

/** Plays a script against the rules on a virtual clock, as the engine would against a host. */
export function simulate(script: Script): Outcome {
  return new Simulator(script).run();
}

/** The engine's part: applies events, plans, has at most one action of each key under way. */
class Simulator {
  readonly #script: Script;
  readonly #host: SimulatedHost;
  readonly #happenings: Happening[] = [];
  readonly #agenda: { at: MonoNs; act: () => void }[] = [];
  readonly #underWay = new Set<string>();
  #owner = 0;
  #record: PodRecord;
  #now: MonoNs = START;
  #delay = 0;
  #atOnce = 0;
  #echo = 0;
  #plan: Plan = { events: [], actions: [], wakeAt: undefined };

  constructor(script: Script) {
    this.#script = script;
    this.#record = deepFreeze(aRecord(script.pod));
    deepFreeze(script.pod);
    this.#host = new SimulatedHost({
      script,
      record: () => this.#record,
      now: () => this.#now,
      wall: () => this.#wall(),
      at: (at, act) => {
        this.#at(at, act);
      },
      later: (act) => {
        this.#later(act);
      },
      happened: (what) => {
        this.#happened(what);
      },
      emit: (event) => {
        this.#emit(event);
      },
      tell: (name, event) => {
        this.#tell(name, event);
      },
    });
  }

  run(): Outcome {
    for (const { at, request } of this.#script.requests) {
      this.#at(START + BigInt(at) * 1_000_000n, () => {
        this.#happened({ kind: 'request', request });
        this.#emit({ kind: 'terminate', request });
      });
    }
    for (const at of this.#script.crashes) {
      this.#at(START + BigInt(at) * 1_000_000n, () => {
        this.#crash();
      });
    }
    this.#emit({ kind: 'taken' });
    const until = START + BigInt(this.#script.until) * 1_000_000n;
    for (;;) {
      const wakeAt = this.#plan.wakeAt;
      const next = this.#agenda[0];
      const wakes = wakeAt !== undefined && (next === undefined || wakeAt < next.at);
      const at = wakes ? wakeAt : next?.at;
      if (at === undefined || at > until) break;
      this.#hurry(at);
      if (wakes) this.#turn();
      else this.#agenda.shift()?.act();
    }
    return { record: this.#record, happenings: this.#happenings, lastPlan: this.#plan };
  }

  #hurry(at: MonoNs): void {
    this.#atOnce = at === this.#now ? this.#atOnce + 1 : 0;
    if (this.#atOnce > MOST_AT_ONCE) throw new Error('time stands still');
    this.#now = at;
  }

  /** The owner is killed at once; the next has nothing but the record and the world. */
  #crash(): void {
    if (this.#record.ended !== undefined) return;
    this.#owner++;
    this.#underWay.clear();
    this.#record = deepFreeze(decodeRecord(encodeRecord(this.#record)));
    this.#host.adopt();
    this.#emit({ kind: 'taken' });
  }

  #at(at: MonoNs, act: () => void): void {
    const index = this.#agenda.findIndex((entry) => entry.at > at);
    this.#agenda.splice(index < 0 ? this.#agenda.length : index, 0, { at, act });
  }

  #later(act: () => void): void {
    const owner = this.#owner;
    this.#at(this.#now + BigInt(this.#nextDelay()) * 1_000_000n, () => {
      if (owner === this.#owner) act();
    });
  }

  #nextDelay(): number {
    const { delays } = this.#script;
    return delays[this.#delay++ % delays.length] ?? 0;
  }

  #happened(what: Unstamped): void {
    this.#happenings.push({ at: this.#now, ...what });
  }

  #wall(): string {
    return new Date(START_WALL + Number((this.#now - START) / 1_000_000n)).toISOString();
  }

  /** An event, then planning until nothing more follows at once: the engine's turn. */
  #emit(event: PodEvent): void {
    this.#apply(event);
    this.#turn();
    this.#host.settle();
  }

  #tell(name: string, event: ContainerEvent): void {
    const { echoes } = this.#script;
    const again = echoes[this.#echo++ % Math.max(1, echoes.length)] === true;
    // What names no instance comes from the one action that makes it, and cannot be late.
    if (again && 'id' in event && event.kind !== 'create') {
      this.#later(() => {
        this.#emit({ kind: 'container', name, event });
      });
    }
    this.#emit({ kind: 'container', name, event });
  }

  #apply(event: PodEvent): void {
    const moment = { at: this.#now, wall: this.#wall() };
    const { record, notes } = stepPod(this.#script.pod, this.#record, event, moment);
    this.#record = deepFreeze(this.#script.reload ? decodeRecord(encodeRecord(record)) : record);
    for (const note of notes) this.#happened({ kind: 'note', note });
  }

  #turn(): void {
    for (let round = 0; round < MOST_ROUNDS; round++) {
      this.#plan = plan(this.#script.pod, this.#record, this.#now);
      const second = plan(this.#script.pod, this.#record, this.#now);
      if (text(second) !== text(this.#plan)) throw new Error('the same record gave two plans');
      if (this.#plan.events.length === 0) {
        for (const action of this.#plan.actions) this.#begin(action);
        return;
      }
      for (const event of this.#plan.events) this.#apply(event);
    }
    throw new Error('the rules do not come to rest');
  }

  #begin(action: Action): void {
    const key = actionKey(action);
    if (this.#underWay.has(key)) return;
    this.#underWay.add(key);
    this.#happened({ kind: 'asked', action });
    const owner = this.#owner;
    this.#at(this.#now, () => {
      if (owner !== this.#owner) return;
      if (!this.#planned(key)) {
        this.#underWay.delete(key);
        return;
      }
      const before = text(this.#record);
      this.#host.perform(action, () => {
        if (owner !== this.#owner) return;
        this.#underWay.delete(key);
        if (this.#planned(key) && before === text(this.#record)) {
          throw new Error(`${key} is over and nothing is different: it would be begun again at once, for ever`);
        }
        this.#turn();
      });
    });
  }

  #planned(key: string): boolean {
    return plan(this.#script.pod, this.#record, this.#now).actions.some((one) => actionKey(one) === key);
  }
}

function text(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'bigint' ? `${inner}n` : inner));
}
