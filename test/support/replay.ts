import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { LineSplitter, parseCriLine } from '../../src/base/cri.ts';
import { manifestError, parseManifest } from '../../src/manifest/parse.ts';
import type { JournalEntry } from '../../src/pod/journal-entry.ts';
import { type PodView, readJournal } from '../../src/pod/view.ts';
import { type Roots, podLogs } from '../../src/state/paths.ts';
import type { OwnedPod, PodHost } from '../../src/supervisor/host.ts';
import { registerPod, removePod } from '../../src/supervisor/registry.ts';
import type { Observed } from '../conformance/observed.ts';
import { type Recording, type Step, containersOf } from '../conformance/recording.ts';
import type { Cli } from './cli.ts';

/** A delete may take the grace period, and the machine is shared. */
const DELETE_SECONDS = 120;
const SETTLE_MS = 1000;
const STEP_MS = 500;

/** Does to a pod what was done to the recorded one, and tells what minirt did. Leaves nothing behind but logs. */
export async function replay(recording: Recording, host: PodHost, cli: Cli): Promise<Observed> {
  const { pods, problems } = parseManifest(JSON.stringify(recording.pod), { file: recording.name, validate: 'strict' });
  const [pod] = pods;
  if (pod === undefined) throw manifestError(problems);
  const view = await registerPod(cli.roots, pod, {});
  const owned = await host.own(view.uid);
  const journal = await Watched.of(owned, view);
  try {
    const execs: Observed['execs'][number][] = [];
    for (const step of recording.steps) {
      const result = await carryOut(step, { recording, owned, journal, cli });
      if (result !== undefined) execs.push(result);
    }
    return await observed(recording, { owned, journal, execs, roots: cli.roots });
  } finally {
    owned.terminate({ grace: undefined, now: true, remove: true });
    const last = await owned.done.catch(() => undefined);
    if (last !== undefined && last.record.termination?.remove !== true) await removePod(cli.roots, last);
  }
}

interface Played {
  readonly recording: Recording;
  readonly owned: OwnedPod;
  readonly journal: Watched;
  readonly cli: Cli;
}

async function carryOut(step: Step, played: Played): Promise<Observed['execs'][number] | undefined> {
  const { recording, owned, journal, cli } = played;
  const [first] = recording.pod.spec.containers;
  switch (step[0]) {
    case 'ready':
      await journal.until('the pod is ready', step[1], (entry) => entry.kind === 'phase' && entry.ready);
      // The node saw a pod ready up to a second after it was; its shells had set their traps by then.
      await delay(SETTLE_MS);
      return undefined;
    case 'phase':
      // The node was waited for in vain where its pod ended otherwise; the comparison has the phases.
      await journal.until(
        step[1],
        step[2],
        (entry) => entry.kind === 'ended' || (entry.kind === 'phase' && entry.phase === step[1]),
      );
      return undefined;
    case 'restarts':
      await journal.until(
        `${step[1]} restarts`,
        step[2],
        (entry) => entry.kind === 'state' && entry.container === first?.name && entry.restartCount >= step[1],
      );
      // A restart, too, was seen only when the node next said how its pod was.
      await delay(SETTLE_MS);
      return undefined;
    case 'sleep':
      // Every step of the recording cost a command or two besides.
      await delay(step[1] * 1000 + STEP_MS);
      return undefined;
    case 'exec': {
      const { code, stdout, stderr } = await cli.run('exec', recording.name, '-c', step[1], '--', ...step[2]);
      return { exit: code, stdout, stderr };
    }
    case 'logs':
      // They are read whole at the end.
      return undefined;
    case 'delete':
      // Hooks that count whole seconds of the wall clock need the beginning of one, as those of the node had.
      if (containersOf(recording.pod).some(({ lifecycle }) => lifecycle?.preStop !== undefined)) {
        await delay(1000 - (Date.now() % 1000));
      }
      owned.terminate({ grace: step[1] ?? undefined, remove: true, now: false });
      await journal.until('the pod is gone', DELETE_SECONDS, (entry) => entry.kind === 'ended');
      return undefined;
    default:
      return step satisfies never;
  }
}

async function observed(
  recording: Recording,
  about: { owned: OwnedPod; journal: Watched; execs: Observed['execs']; roots: Roots },
): Promise<Observed> {
  const { owned, journal, execs, roots } = about;
  const view = await owned.done;
  const names = containersOf(recording.pod).map(({ name }) => name);
  const logs = await Promise.all(names.map(async (name) => [name, await lastLog(roots, view, name)] as const));
  return { entries: journal.entries, object: view.object, logs: Object.fromEntries(logs), execs };
}

/** What the container's latest instance printed. */
async function lastLog(roots: Roots, view: PodView, container: string): Promise<string> {
  const folder = join(podLogs(roots, view), container);
  const files = await readdir(folder).catch(() => []);
  const last = files
    .filter((file) => /^\d+\.log$/.test(file))
    .toSorted((a, b) => parseInt(a, 10) - parseInt(b, 10))
    .at(-1);
  if (last === undefined) return '';
  const entries = new LineSplitter().push(await readFile(join(folder, last))).map(parseCriLine);
  return entries
    .map((entry) => (entry === undefined ? '' : `${entry.content.toString()}${entry.partial ? '' : '\n'}`))
    .join('');
}

/** A pod's journal from its first entry on, as it grows. */
class Watched {
  readonly entries: JournalEntry[];
  readonly #waiting = new Set<(entry: JournalEntry) => void>();

  private constructor(entries: readonly JournalEntry[]) {
    this.entries = [...entries];
  }

  static async of(owned: OwnedPod, view: PodView): Promise<Watched> {
    const late: JournalEntry[] = [];
    const stop = owned.entries((entry) => late.push(entry));
    const early = await readJournal(view.paths.journal);
    stop();
    const watched = new Watched(early);
    for (const entry of late) watched.#add(entry);
    owned.entries((entry) => {
      watched.#add(entry);
    });
    return watched;
  }

  /** Resolves with the first entry, past or to come, that is it. */
  async until(what: string, seconds: number, is: (entry: JournalEntry) => boolean): Promise<void> {
    if (this.entries.some(is)) return;
    const late = new AbortController();
    const wait = (entry: JournalEntry): void => {
      if (is(entry)) late.abort();
    };
    this.#waiting.add(wait);
    try {
      await delay(seconds * 1000, undefined, { signal: late.signal });
    } catch {
      return;
    } finally {
      this.#waiting.delete(wait);
    }
    throw new Error(`not within ${seconds} s: ${what}; last: ${JSON.stringify(this.entries.slice(-5))}`);
  }

  #add(entry: JournalEntry): void {
    if (entry.seq <= (this.entries.at(-1)?.seq ?? 0)) return;
    this.entries.push(entry);
    for (const wait of this.#waiting) wait(entry);
  }
}
