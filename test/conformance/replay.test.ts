import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { recordings } from './recording.ts';
import { JOBS, type Suite, startSuite } from './suite.ts';
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
      expect(await suite.results.get(name)).toEqual([{ kind: 'ok' }]);
    },
    300_000,
  );
});
