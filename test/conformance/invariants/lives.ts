import type { Container, Pod } from '../../../src/manifest/pod.ts';
import type { JournalEntry } from '../../../src/pod/journal-entry.ts';
import type { Because } from '../../../src/pod/record.ts';
import type { EntryOf } from '../observed.ts';

/** One instance of a container, from its creation to its end, as the journal tells it. Times are seconds of the monotonic clock. */
export interface Life {
  readonly spec: Container;
  /** Place of its `Created` event in the journal. */
  readonly index: number;
  /** When its image was ready, which is as early as the journal tells of it. */
  readonly begin: number;
  started: number | undefined;
  /** Its first Killing event. */
  stop: { readonly at: number; readonly because: Because } | undefined;
  /** Whether a back-off was told between its end and the next instance. */
  backedOff: boolean;
  readonly hooks: (EntryOf<'hook-start'> | EntryOf<'hook-end'>)[];
  readonly signals: EntryOf<'signal'>[];
  readonly states: EntryOf<'state'>[];
  /** Lines for people about it. */
  readonly remarks: string[];
  /** `entry` is undefined when its process could never be started. */
  end: { readonly at: number; readonly entry: EntryOf<'exit'> | undefined } | undefined;
}

export interface Lives {
  /** In the order of their beginnings. */
  readonly all: readonly Life[];
  /** What belongs to no instance, or cannot have happened to it. */
  readonly problems: readonly string[];
}

/** Seconds of a journal's stamp. */
export function secondsOf(stamp: string): number {
  return Number(stamp) / 1e9;
}

/** Takes a journal apart into the lives of its containers. `ownersDied`: an owner's last lines may stand there twice. */
export function livesOf(pod: Pod, entries: readonly JournalEntry[], { ownersDied }: { ownersDied: boolean }): Lives {
  const reader = new Reader(pod, ownersDied);
  entries.forEach((entry, index) => {
    reader.read(entry, index);
  });
  return { all: reader.all, problems: reader.problems };
}

class Reader {
  readonly all: Life[] = [];
  readonly problems: string[] = [];
  readonly #pod: Pod;
  readonly #ownersDied: boolean;
  readonly #current = new Map<string, Life>();
  readonly #pulled = new Map<string, number>();
  #terminating = false;

  constructor(pod: Pod, ownersDied: boolean) {
    this.#pod = pod;
    this.#ownersDied = ownersDied;
  }

  read(entry: JournalEntry, index: number): void {
    if (entry.kind === 'terminate') this.#terminating = true;
    if (!('container' in entry) || entry.container === undefined) return;
    const name = entry.container;
    if (entry.kind === 'event') return this.#event(name, entry, index);
    const life = this.#current.get(name);
    switch (entry.kind) {
      case 'state':
        life?.states.push(entry);
        return;
      case 'hook-start':
      case 'hook-end':
        if (life === undefined) return this.#odd(`${entry.kind} of ${entry.hook}`, name, entry);
        life.hooks.push(entry);
        return;
      case 'signal':
        if (life === undefined) return this.#odd(entry.signal, name, entry);
        if (!this.#isEcho(life.signals.some(({ at }) => at === entry.at))) life.signals.push(entry);
        return;
      case 'exit':
        return this.#exit(name, entry, life);
      case 'note':
        life?.remarks.push(entry.text);
        return;
      case 'probe':
        return;
      default:
        return entry satisfies never;
    }
  }

  #event(name: string, { reason, message, t }: EntryOf<'event'>, index: number): void {
    const at = secondsOf(t);
    const life = this.#current.get(name);
    if (reason === 'Pulled') this.#pulled.set(name, at);
    if (reason === 'Created') this.#create(name, at, index);
    if (life === undefined) {
      if (reason === 'Started') this.problems.push(`${name} was started and never created`);
      return;
    }
    if (reason === 'Started') {
      if (this.#isEcho(life.started !== undefined)) return;
      if (life.started !== undefined) this.problems.push(`${name} was started twice`);
      if (life.end !== undefined) this.problems.push(`${name} was started after its end`);
      life.started = at;
    }
    // What never ran had no process that could be stopped, nor has what is gone: its hook's failure is told afterwards.
    if (reason === 'Killing' && life.end === undefined) life.stop ??= { at, because: this.#because(message) };
    if (reason === 'BackOff' && life.end !== undefined) life.backedOff = true;
    if (reason === 'Failed' && life.started === undefined) life.end ??= { at, entry: undefined };
  }

  #create(name: string, at: number, index: number): void {
    const before = this.#current.get(name);
    const spec = this.#pod.containers.find((one) => one.name === name);
    if (spec === undefined) return void this.problems.push(`the pod has no container ${name}`);
    if (before?.started !== undefined && before.end === undefined) {
      this.problems.push(`${name} was created again while its instance before had not ended`);
    }
    const life: Life = {
      spec,
      index,
      begin: this.#pulled.get(name) ?? at,
      started: undefined,
      stop: undefined,
      backedOff: false,
      hooks: [],
      signals: [],
      states: [],
      remarks: [],
      end: undefined,
    };
    this.#current.set(name, life);
    this.all.push(life);
  }

  #exit(name: string, entry: EntryOf<'exit'>, life: Life | undefined): void {
    if (life === undefined) return this.#odd('exit', name, entry);
    if (this.#isEcho(life.end !== undefined)) return;
    if (life.end !== undefined) this.problems.push(`${name} ended twice`);
    // What was shown before is not about its end.
    life.states.length = 0;
    life.end = { at: secondsOf(entry.at), entry };
  }

  /** Told before, by an owner that died over it. */
  #isEcho(again: boolean): boolean {
    return this.#ownersDied && again;
  }

  #odd(what: string, name: string, { seq }: JournalEntry): void {
    this.problems.push(`entry ${seq}: ${what}: ${name} was never created`);
  }

  #because(message: string): Because {
    if (message === 'FailedPostStartHook') return 'postStart';
    if (message === 'killing') return 'restartAll';
    const probe = /failed (startup|liveness) probe/.exec(message)?.[1];
    if (probe !== undefined) return probe as 'startup' | 'liveness';
    return this.#terminating ? 'terminated' : 'completed';
  }
}
