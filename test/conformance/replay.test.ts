import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { silentLogger } from '../../src/base/log.ts';
import { type Snapshot, snapshot } from '../../src/doctor/snapshot.ts';
import { type PodHost, openHost } from '../../src/supervisor/host.ts';
import { Cli } from '../support/cli.ts';
import { leftSince } from '../support/leaks.ts';
import { replay } from '../support/replay.ts';
import { compare } from './compare.ts';
import type { Observed } from './observed.ts';
import { type Recording, recordings } from './recording.ts';
import { table } from './table.ts';

/** More would make each other late. */
const AT_ONCE = 5;

const all = recordings().filter(({ name }) => table[name]?.kind === 'replayed');

describe('replayed,', () => {
  const results = new Map<string, Promise<Observed>>();
  let before: Snapshot;
  let cli: Cli;
  let host: PodHost;

  beforeAll(async () => {
    cli = await Cli.open('busybox', 'nginx');
    before = await snapshot(cli.roots);
    host = await openHost(cli.roots, { owner: 'foreground', log: silentLogger() });
    // Those that mostly sleep come first: the others fit beside them.
    startAll(
      all.toSorted((a, b) => sleeps(b) - sleeps(a)),
      (recording) => replay(recording, host, cli),
    ).forEach((result, name) => {
      results.set(name, result);
    });
  });

  afterAll(async () => {
    await Promise.allSettled(results.values());
    await host.close();
    const left = await leftSince(before, cli.roots);
    await cli[Symbol.asyncDispose]();
    expect(left).toEqual([]);
  });

  test.each(all.map((recording) => [recording.name, recording] as const))(
    '%s goes as on the node',
    async (name, recording) => {
      const observed = await results.get(name);
      if (observed === undefined) throw new Error('it was not replayed');
      expect(compare(recording, observed)).toEqual([]);
    },
    300_000,
  );
});

/** Begins every replay, a few at a time, and keeps its result for its own test. */
function startAll(
  inOrder: readonly Recording[],
  play: (recording: Recording) => Promise<Observed>,
): ReadonlyMap<string, Promise<Observed>> {
  const results = new Map<string, Promise<Observed>>();
  let free = AT_ONCE;
  const waiting: (() => void)[] = [];
  const enter = (): Promise<void> => {
    if (free > 0) {
      free--;
      return Promise.resolve();
    }
    return new Promise((resolve) => waiting.push(resolve));
  };
  const leave = (): void => {
    const next = waiting.shift();
    if (next === undefined) free++;
    else next();
  };
  for (const recording of inOrder) {
    const result = enter()
      .then(() => play(recording))
      .finally(leave);
    // Its own test awaits it, maybe long after it failed.
    result.catch(() => undefined);
    results.set(recording.name, result);
  }
  return results;
}

function sleeps({ steps }: Recording): number {
  return steps.reduce((sum, step) => sum + (step[0] === 'sleep' ? step[1] : 0), 0);
}
