import { systemClock, seconds } from '../../base/clock.ts';
import type { Pod } from '../../manifest/pod.ts';
import type { JournalEntry } from '../../pod/journal-entry.ts';
import { type PodView, readJournal } from '../../pod/view.ts';
import { type OwnedPod, type PodHost, openHost } from '../../supervisor/host.ts';
import { removePod } from '../../supervisor/registry.ts';
import { EXIT } from '../exit-code.ts';
import { tell } from '../io.ts';
import { viewOrNothing } from '../log/instance.ts';
import { followRestarts } from '../log/reader.ts';
import { asJson, listOf } from '../render/document.ts';
import { endingLines } from '../render/ending.ts';
import { Progress } from '../render/progress.ts';
import type { Context } from '../verb.ts';
import { writeTo } from '../write.ts';
import { type Until, runStatus, untilReached } from './outcome.ts';
import { register } from './prepare.ts';

export interface RunOptions {
  readonly name?: string;
  readonly replace?: boolean;
  readonly rm?: boolean;
  readonly quiet?: boolean;
  readonly json: boolean;
  readonly until: Until | undefined;
  /** Seconds. */
  readonly timeout: number | undefined;
}

interface Running {
  readonly view: PodView;
  readonly owned: OwnedPod;
  readonly journal: JournalEntry[];
  readonly progress: Progress;
}

/** Runs pods as their owner, here, until they have ended. */
export async function runForeground(context: Context, pods: readonly Pod[], options: RunOptions): Promise<number> {
  const host = await openHost(context.roots, { owner: 'foreground', log: await context.log() });
  try {
    return await new Foreground(context, options, host).run(pods);
  } finally {
    await host.close();
  }
}

class Foreground {
  readonly #context: Context;
  readonly #options: RunOptions;
  readonly #host: PodHost;
  readonly #running: Running[] = [];
  #interrupts = 0;
  #timedOut = false;

  constructor(context: Context, options: RunOptions, host: PodHost) {
    this.#context = context;
    this.#options = options;
    this.#host = host;
  }

  async run(pods: readonly Pod[]): Promise<number> {
    const { io } = this.#context;
    const stopListening = io.onInterrupt(() => {
      this.#interrupted();
    });
    const cancel: (() => void)[] = [];
    try {
      for (const pod of pods) await this.#start(pod);
      cancel.push(...this.#timers());
      const output = this.#running.map((one) => this.#printOutput(one, pods));
      const ended = await Promise.all(this.#running.map(({ owned }) => owned.done));
      await Promise.all(output);
      return await this.#finish(ended);
    } catch (error) {
      await this.#giveUp();
      throw error;
    } finally {
      for (const one of cancel) one();
      stopListening();
    }
  }

  async #start(pod: Pod): Promise<void> {
    const { roots } = this.#context;
    const view = await register(this.#context, pod, {
      ...this.#options,
      note: (line) => {
        this.#note(line);
      },
    });
    this.#note(`pod/${view.name} created`);
    let owned: OwnedPod;
    try {
      owned = await this.#host.own(view.uid);
    } catch (error) {
      await removePod(roots, view);
      throw error;
    }
    const running: Running = { view, owned, journal: [], progress: new Progress() };
    this.#running.push(running);
    await this.#listen(running);
    if (this.#interrupts > 0) owned.terminate({ grace: undefined, remove: false, now: this.#interrupts > 1 });
  }

  /** What was journaled before anyone could listen is read from the file; nothing is taken in twice. */
  async #listen(running: Running): Promise<void> {
    const early: JournalEntry[] = [];
    let take = (entry: JournalEntry): void => {
      early.push(entry);
    };
    running.owned.entries((entry) => {
      take(entry);
    });
    const onFile = await readJournal(running.view.paths.journal);
    const known = onFile.at(-1)?.seq ?? 0;
    for (const entry of [...onFile, ...early.filter(({ seq }) => seq > known)]) this.#take(running, entry);
    take = (entry) => {
      this.#take(running, entry);
    };
  }

  #take(running: Running, entry: JournalEntry): void {
    const { io } = this.#context;
    running.journal.push(entry);
    if (this.#options.quiet !== true) io.stderr.write(running.progress.text(entry));
    const isOver = running.journal.some((one) => one.kind === 'terminate');
    if (!isOver && untilReached(this.#options.until, running.journal, running.view.pod.containers)) {
      // Not from within the step that is being journaled.
      queueMicrotask(() => {
        running.owned.terminate({ grace: undefined, remove: false, now: false });
      });
    }
  }

  #timers(): (() => void)[] {
    const { until, timeout } = this.#options;
    const after = (delay: number, due: () => void): (() => void) =>
      systemClock.at(systemClock.now() + seconds(delay), due);
    return [
      ...(until?.kind === 'after'
        ? [
            after(until.seconds, () => {
              this.#terminate(false);
            }),
          ]
        : []),
      ...(timeout === undefined
        ? []
        : [
            after(timeout, () => {
              this.#runOut(timeout);
            }),
          ]),
    ];
  }

  #runOut(timeout: number): void {
    tell(this.#context.io, `timed out after ${timeout} s`);
    this.#timedOut = true;
    this.#terminate(false);
  }

  #interrupted(): void {
    this.#interrupts++;
    if (this.#interrupts === 1) this.#note('stopping gracefully; once more to kill');
    this.#terminate(this.#interrupts > 1);
  }

  #terminate(now: boolean): void {
    for (const { owned } of this.#running) owned.terminate({ grace: undefined, remove: false, now });
  }

  async #printOutput({ view }: Running, pods: readonly Pod[]): Promise<void> {
    const { io, roots } = this.#context;
    const sink = writeTo(this.#options.json ? io.stderr : io.stdout);
    const several = pods.length > 1 || view.pod.containers.length > 1;
    // An interrupt ends the pod, and what it prints until then is wanted.
    const { signal } = new AbortController();
    await Promise.all(
      view.pod.containers.map(async ({ name }) => {
        const prefix = !several ? '' : pods.length > 1 ? `[${view.name}/${name}] ` : `[${name}] `;
        const how = { timestamps: false, since: undefined, tail: undefined, prefix, signal };
        await followRestarts({ roots, view, container: name }, 0, how, sink);
      }),
    );
  }

  async #finish(ended: readonly PodView[]): Promise<number> {
    const { io, roots } = this.#context;
    const { json, rm } = this.#options;
    for (const { view, journal } of this.#running) {
      for (const line of endingLines(journal, view.pod.containers)) this.#note(line);
    }
    const objects = ended.map((view) => view.object);
    if (json) io.stdout.write(asJson(objects.length === 1 ? objects[0] : listOf(objects)));
    for (const view of rm === true ? ended : []) {
      if ((await viewOrNothing(roots, view.uid)) !== undefined) await removePod(roots, view);
    }
    if (this.#timedOut) return EXIT.timeout;
    return Math.max(...ended.map((view, i) => runStatus(view, this.#running[i]?.journal ?? [])));
  }

  /** One pod could not be run: those that already run are ended, as a stop would. */
  async #giveUp(): Promise<void> {
    this.#terminate(false);
    await Promise.allSettled(this.#running.map(({ owned }) => owned.done));
  }

  #note(line: string): void {
    if (this.#options.quiet !== true) tell(this.#context.io, line);
  }
}
