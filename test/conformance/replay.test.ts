import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { recordings } from './recording.ts';
import { JOBS, type Result, type Suite, startSuite } from './suite.ts';
import { table } from './table.ts';

const all = recordings().filter(({ name }) => table[name]?.kind === 'replayed');

describe('replayed,', () => {
  let suite: Suite;

  beforeAll(async () => {
    suite = await startSuite(all, { jobs: JOBS, repeat: 1 });
  });

  afterAll(async () => {
    expect(await suite.close()).toEqual([]);
  });

  test.each(all.map(({ name }) => name))(
    '%s goes as on the node',
    async (name) => {
      const [result] = (await suite.results.get(name)) ?? [];
      expect(result?.kind === 'differs' ? await alone(name, result) : result).toEqual({ kind: 'ok' });
    },
    300_000,
  );

  /**
   * Many recordings race with the program in the container: a signal that comes before a shell has set its trap ends
   * it another way. What differed while others kept the machine busy is replayed by itself, and that counts.
   */
  async function alone(name: string, first: Result): Promise<Result | undefined> {
    process.stderr.write(`${name} differed beside others, and is replayed alone: ${JSON.stringify(first)}\n`);
    await Promise.all(suite.results.values());
    const again = await startSuite(
      all.filter((one) => one.name === name),
      { jobs: 1, repeat: 1 },
    );
    const [result] = (await again.results.get(name)) ?? [];
    expect(await again.close()).toEqual([]);
    return result;
  }
});
