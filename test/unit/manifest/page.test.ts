import { expect, test } from 'vitest';
import { fieldTables } from '../../../src/manifest/fields.ts';
import { podFieldsPage } from '../../../src/manifest/page.ts';

test('docs/pod-fields.md is what the table says (else: scripts/generate-docs)', async () => {
  await expect(podFieldsPage()).toMatchFileSnapshot('../../../docs/pod-fields.md');
});

test('the page has a section for every table, so that no table is dead', () => {
  const sections = [...podFieldsPage().matchAll(/^## (.*)$/gm)].map(([, name]) => name);
  expect(sections.toSorted()).toEqual(Object.keys(fieldTables).toSorted());
});
