import { setTimeout as delay } from 'node:timers/promises';
import type { V1Pod } from '../../src/manifest/pod.ts';
import type { JournalEntry } from '../../src/pod/journal-entry.ts';
import { findDeleted, readJournal } from '../../src/pod/view.ts';
import { podPaths } from '../../src/state/paths.ts';
import { journalHas } from './journal.ts';
import type { Minirt } from './minirt.ts';
import type { Observed } from './observed.ts';
import { type Recording, type Step, containersOf } from './recording.ts';

const SETTLE_MS = 1000;
const STEP_MS = 500;
/** A pod whose phase says that it is over still has its network to lose. */
const END_SECONDS = 30;

/** How far into a second of the wall clock such a delete should be: never before it, whatever the guess is worth. */
const INTO_SECOND_MS = 200;

export interface Replayed {
  readonly observed: Observed;
  /** The whole journal: after the steps the pod was deleted, if they had not done that. */
  readonly journal: readonly JournalEntry[];
}

/** Does to a pod what was done to the recorded one, by the command line, and tells what minirt did. Leaves no pod behind. */
export async function replay(recording: Recording, minirt: Minirt): Promise<Replayed> {
  const player = new Player(recording, minirt);
  try {
    await player.create();
    for (const [index, step] of recording.steps.entries()) await player.carryOut(step, recording.steps[index + 1]);
    return await player.result();
  } finally {
    await player.clear();
  }
}

/** One pod and what was seen of it. */
class Player {
  readonly #recording: Recording;
  readonly #minirt: Minirt;
  readonly #name: string;
  readonly #inNamespace: readonly string[];
  readonly #namespace: string;
  readonly #execs: Observed['execs'][number][] = [];
  readonly #logs: Record<string, string> = {};
  #journal = '';
  #there = false;

  constructor(recording: Recording, minirt: Minirt) {
    const { name, namespace } = recording.pod.metadata;
    this.#recording = recording;
    this.#minirt = minirt;
    this.#name = name;
    this.#namespace = namespace ?? 'default';
    this.#inNamespace = ['-n', this.#namespace];
  }

  /** The recording's objects are there before its pod. */
  async create(): Promise<void> {
    const { objects = [], pod } = this.#recording;
    const before = objects.map((one) => JSON.stringify(one)).join('\n---\n');
    if (before !== '') await this.#must(['apply', ...this.#inNamespace, '-f', '-'], before);
    const made = await this.#must(['create', '-f', '-', '-o', 'json'], JSON.stringify(pod));
    const { metadata } = JSON.parse(made) as V1Pod;
    this.#there = true;
    this.#journal = podPaths(this.#minirt.roots, metadata?.uid ?? '').journal;
  }

  async carryOut(step: Step, next: Step | undefined): Promise<void> {
    switch (step[0]) {
      case 'ready':
        await this.#until('the pod is ready', step[1], (entry) => entry.kind === 'phase' && entry.ready);
        // The node saw a pod ready up to a second after it was; its shells had set their traps by then.
        return delay(SETTLE_MS);
      case 'phase':
        // The node was waited for in vain where its pod ended otherwise; the comparison has the phases.
        return this.#until(
          step[1],
          step[2],
          (entry) => entry.kind === 'ended' || (entry.kind === 'phase' && entry.phase === step[1]),
        );
      case 'restarts':
        await this.#restarts(step[1], step[2]);
        // So was a restart; a delete takes some of that time itself.
        return next?.[0] === 'delete' ? undefined : delay(SETTLE_MS);
      case 'sleep':
        // Every step of the recording cost a command or two besides.
        return delay(step[1] * 1000 + STEP_MS);
      case 'exec':
        return this.#exec(step[1], step[2]);
      case 'logs':
        return this.#read(step[1]);
      case 'delete':
        return this.#delete(step[1]);
      default:
        return step satisfies never;
    }
  }

  async result(): Promise<Replayed> {
    // What was there before a delete that is not the recording's.
    const before = this.#there ? await this.#settled() : undefined;
    await this.clear();
    const { paths, object } = await findDeleted(this.#minirt.roots, this.#namespace, this.#name);
    const journal = await readJournal(paths.journal);
    const seen = before ?? { entries: journal, object };
    return { observed: { ...seen, logs: this.#logs, execs: this.#execs }, journal };
  }

  /** Removes the pod if it is still there. */
  async clear(): Promise<void> {
    if (!this.#there) return;
    this.#there = false;
    await this.#must(['delete', 'pod', this.#name, '--now']);
  }

  /** A pod in its last phase is waited for until nothing of it is left, as the recorder's last look was. */
  async #settled(): Promise<Pick<Observed, 'entries' | 'object'>> {
    const last = (await readJournal(this.#journal)).findLast((entry) => entry.kind === 'phase');
    if (last?.kind === 'phase' && (last.phase === 'Succeeded' || last.phase === 'Failed')) {
      await this.#until('nothing of the pod is left', END_SECONDS, (entry) => entry.kind === 'ended');
    }
    const object = JSON.parse(await this.#must(['get', 'pod', this.#name, '-o', 'json'])) as V1Pod;
    return { entries: await readJournal(this.#journal), object };
  }

  #restarts(count: number, seconds: number): Promise<void> {
    const [first] = this.#recording.pod.spec.containers;
    return this.#until(
      `${count} restarts`,
      seconds,
      (entry) => entry.kind === 'state' && entry.container === first?.name && entry.restartCount >= count,
    );
  }

  async #exec(container: string, argv: readonly string[]): Promise<void> {
    const args = ['exec', this.#name, ...this.#inNamespace, '-c', container, '--', ...argv];
    const { code = -1, stdout, stderr } = await this.#minirt.run(args);
    this.#execs.push({ exit: code, stdout, stderr });
  }

  /** A container without a log has printed nothing. */
  async #read(container: string, ...flags: readonly string[]): Promise<void> {
    const { stdout } = await this.#minirt.run(['logs', this.#name, ...this.#inNamespace, '-c', container, ...flags]);
    this.#logs[container] = stdout;
  }

  /** The logs are read when they are complete; the node's were followed to their end. */
  async #delete(grace: number | null): Promise<void> {
    const { pod } = this.#recording;
    const name = this.#name;
    // Hooks that count whole seconds of the wall clock need the beginning of one, as those of the node had.
    if (containersOf(pod).some(({ lifecycle }) => lifecycle?.preStop !== undefined)) {
      // A delete reaches the pod's owner about when a look at the pod would be over, on a busy machine later than else.
      const began = Date.now();
      await this.#minirt.run(['get', 'pod', name, ...this.#inNamespace]);
      const now = Date.now();
      await delay(1000 - ((2 * now - began - INTO_SECOND_MS) % 1000));
    }
    await this.#must(['delete', 'pod', name, ...(grace === null ? [] : ['--grace-period', String(grace)])]);
    this.#there = false;
    for (const one of containersOf(pod)) await this.#read(one.name, '--deleted');
  }

  #must(args: readonly string[], input?: string): Promise<string> {
    return this.#minirt.must([...args, ...this.#inNamespace], input === undefined ? {} : { input });
  }

  #until(what: string, seconds: number, is: (entry: JournalEntry) => boolean): Promise<void> {
    return journalHas(this.#journal, { what, seconds }, is);
  }
}
