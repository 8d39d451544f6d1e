import { messageOf } from '../../src/base/errors.ts';
import { parseManifest } from '../../src/manifest/parse.ts';
import { compare } from './compare.ts';
import { violations } from './invariants/index.ts';
import { Minirt } from './minirt.ts';
import { type Recording, containersOf } from './recording.ts';
import { replay } from './replay.ts';
import { type Standing, table } from './table.ts';

/** How many replays at the same time do not make each other late. */
export const JOBS = 6;
/** Images that minirt can make itself, by the name under which a pod asks for them. */
const RECIPE = /^(?:docker\.io\/library\/)?(busybox|nginx|nginx-term|probe)(?::latest)?$/;

/** How one replay went. A recording that was not replayed never counts as one that went well. */
export type Result =
  | { readonly kind: 'ok' }
  /** Everything in which minirt and the node disagree, or minirt and its own laws; or why the replay broke off. */
  | { readonly kind: 'differs'; readonly differences: readonly string[] }
  | { readonly kind: 'not yet'; readonly area: Recording['area']; readonly reason: string };

export interface SuiteOptions {
  /** How many at the same time. */
  readonly jobs: number;
  /** How often each is replayed. */
  readonly repeat: number;
  /** Told of each replay when it is over. */
  readonly onResult?: (recording: Recording, result: Result, seconds: number) => void;
}

/** A run of the whole suite, under way. */
export interface Suite {
  /** By name of the recording, one result for each time. */
  readonly results: ReadonlyMap<string, Promise<readonly Result[]>>;
  /** Waits for all of them and removes everything; answers what stayed on the host all the same. */
  readonly close: () => Promise<readonly string[]>;
}

/** Begins to replay recordings with a minirt of their own. */
export async function startSuite(recordings: readonly Recording[], options: SuiteOptions): Promise<Suite> {
  const { jobs, repeat, onResult } = options;
  const played = recordings.filter((recording) => standingOf(recording).kind === 'replayed');
  const minirt = await Minirt.open(recipesOf(played));
  const turns = new Turns(jobs);
  const once = async (recording: Recording): Promise<Result> => {
    const began = Date.now();
    const result = await judged(recording, minirt);
    onResult?.(recording, result, (Date.now() - began) / 1000);
    return result;
  };
  const results = new Map<string, Promise<readonly Result[]>>();
  // Those that mostly sleep come first: the others fit beside them.
  for (const recording of recordings.toSorted((a, b) => leastSeconds(b) - leastSeconds(a))) {
    const standing = standingOf(recording);
    // One after another: a pod's name is its own as long as it is there.
    const all =
      standing.kind === 'not yet'
        ? Promise.resolve([notYet(recording, standing)])
        : turns.take(repeat, () => once(recording));
    results.set(recording.name, all);
  }
  const close = async (): Promise<readonly string[]> => {
    await Promise.all(results.values());
    return minirt.close();
  };
  return { results, close };
}

/** The table's word; one that it does not know is replayed if its manifest can be read. */
function standingOf({ name, objects = [], pod }: Recording): Standing {
  const known = table[name];
  if (known !== undefined) return known;
  const text = [...objects, pod].map((one) => JSON.stringify(one)).join('\n---\n');
  const [problem] = parseManifest(text, { file: name, validate: 'strict' }).problems;
  return problem === undefined ? { kind: 'replayed' } : { kind: 'not yet', refused: problem.path };
}

function notYet({ area }: Recording, standing: Extract<Standing, { kind: 'not yet' }>): Result {
  return { kind: 'not yet', area, reason: 'refused' in standing ? standing.refused : standing.missing };
}

async function judged(recording: Recording, minirt: Minirt): Promise<Result> {
  try {
    const { observed, journal } = await replay(recording, minirt);
    const { pods } = parseManifest(JSON.stringify(recording.pod), { file: recording.name, validate: 'ignore' });
    const broken = pods.flatMap((pod) => violations(pod, journal)).map((one) => `law: ${one}`);
    const differences = [...compare(recording, observed), ...broken];
    return differences.length === 0 ? { kind: 'ok' } : { kind: 'differs', differences };
  } catch (error) {
    return { kind: 'differs', differences: [`the replay broke off: ${messageOf(error)}`] };
  }
}

function recipesOf(recordings: readonly Recording[]): readonly string[] {
  const images = recordings.flatMap(({ pod }) => containersOf(pod).map(({ image }) => RECIPE.exec(image)?.[1] ?? []));
  return [...new Set(images.flat())];
}

function leastSeconds({ steps }: Recording): number {
  return steps.reduce((sum, step) => sum + (step[0] === 'sleep' ? step[1] : 0), 0);
}

/** Lets only so many be under way. */
class Turns {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(atOnce: number) {
    this.#free = atOnce;
  }

  /** Does it `times` times one after another, all in one turn; in the order of the calls. */
  async take<T>(times: number, act: () => Promise<T>): Promise<T[]> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    const results: T[] = [];
    try {
      for (let time = 0; time < times; time++) results.push(await act());
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
    return results;
  }
}
