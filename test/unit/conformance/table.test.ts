import { expect, test } from 'vitest';
import { parseManifest } from '../../../src/manifest/parse.ts';
import { recordings } from '../../conformance/recording.ts';
import { table } from '../../conformance/table.ts';

const all = recordings().map((recording) => [recording.name, recording] as const);

test('every recording has a standing, and nothing else has', () => {
  expect(Object.keys(table).toSorted()).toEqual(all.map(([name]) => name).toSorted());
});

test.each(all)('%s stands where the table says', (name, { pod }) => {
  const standing = table[name];
  if (standing === undefined) throw new Error('no standing');
  const { problems } = parseManifest(JSON.stringify(pod), { file: name, validate: 'strict' });
  const said = problems.map(({ path, message }) => `${path}: ${message}`);
  if ('refused' in standing) expect(said).toContain(`${standing.refused}: not yet supported`);
  else expect(said).toEqual([]);
  if ('missing' in standing) expect(standing.missing).not.toBe('');
});
