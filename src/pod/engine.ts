import { type Clock, type MonoNs, SECOND } from '../base/clock.ts';
import { MinirtError, messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { Pod } from '../manifest/pod.ts';
import { writeAtomically } from '../state/files.ts';
import { podReady } from './conditions.ts';
import type { JournalEntry, Note } from './journal-entry.ts';
import type { Journal } from './journal.ts';
import { type Action, actionKey, plan } from './plan.ts';
import { podPhase } from './phase.ts';
import { type PodRecord, encodeRecord } from './record.ts';
import { type PodEvent, stepPod } from './step.ts';
import type { StopRequest } from './stop.ts';
import { shownRestarts, visible } from './visible.ts';

/** An action that failed against all expectation is tried again after this long, not at once and for ever. */
const TRY_AGAIN = SECOND;

/** Planning must come to rest after this many rounds of immediate events; more would be a rule that undoes itself. */
const MOST_ROUNDS = 1000;

/** What the engine needs from the world to act; results come back as events. */
export interface Actor {
  /** Carries an action out; resolves when it is over, whatever came of it. Must not throw for what can be expected. */
  perform(action: Action, engine: EngineView): Promise<void>;
}

/** What an action may see and say. */
export interface EngineView {
  readonly pod: Pod;
  readonly record: PodRecord;
  emit(event: PodEvent): void;
  note(note: Note): void;
}

export interface EngineOptions {
  readonly pod: Pod;
  readonly record: PodRecord;
  /** Where the record is kept. */
  readonly path: string;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log: Logger;
  readonly actor: Actor;
}

/**
 * One pod's loop of observe → plan → act. The rules are in plan.ts and lifecycle.ts; here is only the order of effects:
 * a change is journaled and written down before anything is done about it.
 */
export class PodEngine implements EngineView {
  readonly pod: Pod;
  /** Resolves when nothing of the pod is left on the host; rejects when the owner let go of it (`release`). */
  readonly ended: Promise<void>;
  readonly #options: EngineOptions;
  readonly #underWay = new Set<string>();
  #record: PodRecord;
  #shown = new Map<string, string>();
  #written = '';
  #queue: PodEvent[] = [];
  #turning = false;
  #stage: 'new' | 'taken' | 'released' = 'new';
  #cancelWake: (() => void) | undefined;
  #settle: { resolve: () => void; reject: (error: unknown) => void } | undefined;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.pod = options.pod;
    this.#record = options.record;
    this.ended = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.ended.catch(() => undefined);
    // What a pod that was never owned looks like has not been journaled yet.
    if (this.#record.startedAt !== undefined) this.#shown = shownNow(this.pod, this.#record);
  }

  get record(): PodRecord {
    return this.#record;
  }

  /** Takes the pod in hand: plans, and acts, until it has ended. What happened before is looked at only now. */
  start(): void {
    if (this.#stage !== 'new') return;
    this.#stage = 'taken';
    if (this.#record.ended !== undefined) return this.#settle?.resolve();
    this.#queue.unshift({ kind: 'taken' });
    this.#go();
  }

  /** Asks for the end of the pod; a later request can only make it earlier. */
  terminate(request: StopRequest): void {
    this.emit({ kind: 'terminate', request });
  }

  listen(listener: (entry: JournalEntry) => void): () => void {
    return this.#options.journal.listen(listener);
  }

  note(note: Note): void {
    if (this.#isOver()) return;
    this.#options.journal.append(note);
  }

  /** What comes after the end is about nothing: the pod's files may be closed, or gone. */
  emit(event: PodEvent): void {
    if (this.#isOver()) return;
    this.#queue.push(event);
    this.#go();
  }

  /** Plans, unless that is under way, or the pod is not in hand. A pod that cannot be planned is let go. */
  #go(): void {
    if (this.#turning || this.#stage !== 'taken' || this.#record.ended !== undefined) return;
    this.#turning = true;
    try {
      this.#turn();
    } catch (error) {
      this.#options.log.error({ pod: this.pod.name, error: messageOf(error) }, 'pod engine failed');
      this.#letGo(error);
    } finally {
      this.#turning = false;
    }
  }

  #isOver(): boolean {
    return this.#record.ended !== undefined || this.#stage === 'released';
  }

  #turn(): void {
    const { clock } = this.#options;
    for (let round = 0; round < MOST_ROUNDS; round++) {
      for (let event = this.#queue.shift(); event !== undefined; event = this.#queue.shift()) this.#apply(event);
      const next = plan(this.pod, this.#record, clock.now());
      if (next.events.length > 0) {
        this.#queue.push(...next.events);
        continue;
      }
      for (const action of next.actions) this.#begin(action);
      this.#wake(next.wakeAt);
      if (this.#queue.length > 0) continue;
      if (this.#record.ended !== undefined) this.#settle?.resolve();
      return;
    }
    throw new MinirtError('internal', `plan pod: ${this.pod.name}: the rules do not come to rest`);
  }

  #apply(event: PodEvent): void {
    const { clock, journal, path } = this.#options;
    const moment = { at: clock.now(), wall: clock.wall().toISOString() };
    const { record, notes } = stepPod(this.pod, this.#record, event, moment);
    const changed = record !== this.#record;
    this.#record = record;
    for (const note of notes) journal.append(note);
    if (!changed) return;
    this.#journalStates();
    const text = encodeRecord(record);
    if (text === this.#written) return;
    writeAtomically(path, text);
    this.#written = text;
  }

  /** Journals what became visible: container states and the phase, each only when it changed. */
  #journalStates(): void {
    const now = shownNow(this.pod, this.#record);
    for (const [key, text] of now) {
      if (this.#shown.get(key) !== text) this.#options.journal.append(JSON.parse(text) as Note);
    }
    this.#shown = now;
  }

  #begin(action: Action): void {
    const key = actionKey(action);
    if (this.#underWay.has(key)) return;
    this.#underWay.add(key);
    // Begun on the next tick: an action that answers at once must not re-enter the planning that chose it.
    setImmediate(() => {
      this.#perform(action, key);
    });
  }

  #perform(action: Action, key: string): void {
    if (this.#isOver()) return;
    // What happened since then may have changed the plan: two containers must not start because both were next once.
    const { actions } = plan(this.pod, this.#record, this.#options.clock.now());
    if (!actions.some((one) => actionKey(one) === key)) {
      this.#underWay.delete(key);
      return;
    }
    const { actor, clock, log } = this.#options;
    const done = (): void => {
      this.#underWay.delete(key);
      this.#go();
    };
    actor.perform(action, this).then(done, (error: unknown) => {
      if (this.#isOver()) return;
      log.error({ pod: this.pod.name, action: key, error: messageOf(error) }, 'action failed');
      clock.at(clock.now() + TRY_AGAIN, done);
    });
  }

  #wake(at: MonoNs | undefined): void {
    this.#cancelWake?.();
    this.#cancelWake =
      at === undefined
        ? undefined
        : this.#options.clock.at(at, () => {
            this.#go();
          });
  }

  /** Stops planning without touching the pod: its containers run on, for the next owner. */
  release(): void {
    this.#letGo(new MinirtError('aborted', `release pod: ${this.pod.name}`));
  }

  /** From here on the pod's files are somebody else's to write. */
  #letGo(why: unknown): void {
    this.#stage = 'released';
    this.#cancelWake?.();
    this.#settle?.reject(why);
  }
}

function shownNow(pod: Pod, record: PodRecord): Map<string, string> {
  const shown = new Map<string, string>();
  for (const container of record.containers) {
    const { state, ready, started } = visible(pod, record, container);
    const facts = state.running
      ? { state: 'running' }
      : state.terminated
        ? {
            state: 'terminated',
            reason: state.terminated.reason,
            message: state.terminated.message,
            exitCode: state.terminated.exitCode,
          }
        : { state: 'waiting', reason: state.waiting?.reason, message: state.waiting?.message };
    const restartCount = shownRestarts(container);
    const note = { kind: 'state', container: container.name, ...facts, restartCount, ready, started };
    shown.set(`container ${container.name}`, JSON.stringify(note));
  }
  shown.set('phase', JSON.stringify({ kind: 'phase', phase: podPhase(pod, record), ready: podReady(pod, record) }));
  return shown;
}
