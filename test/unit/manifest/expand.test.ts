import { describe, expect, test } from 'vitest';
import { expandArgs, expandEnv } from '../../../src/manifest/expand.ts';
import type { EnvEntry, EnvSource, EnvVar } from '../../../src/manifest/pod.ts';

const env = [
  { name: 'A', value: 'a' },
  { name: 'EMPTY', value: '' },
  { name: 'REF', value: '$(A)' },
  { name: 'odd name.1', value: 'odd' },
];

// The rows of Kubernetes' own test of this function come first (third_party/forked/golang/expansion).
describe('a word of command or args', () => {
  test.each([
    ['without a reference stays', 'plain', 'plain'],
    ['takes a value', '$(A)', 'a'],
    ['takes it in the middle', 'x-$(A)-y', 'x-a-y'],
    ['takes two', '$(A)$(A)', 'aa'],
    ['takes an empty value', '[$(EMPTY)]', '[]'],
    ['keeps what is not known', '$(B)', '$(B)'],
    ['keeps an escaped reference', '$$(A)', '$(A)'],
    ['escapes the escape', '$$$(A)', '$a'],
    ['escapes twice', '$$$$(A)', '$$(A)'],
    ['keeps a shell variable', '$A', '$A'],
    ['keeps one in braces', '${A}', '${A}'],
    ['keeps a reference that is not closed', '$(A', '$(A'],
    ['keeps a lonely end', 'a$', 'a$'],
    ['halves two ends', 'a$$', 'a$'],
    ['keeps empty parentheses', '$()', '$()'],
    ['goes on after one that is not closed', '$(A$(A)', '$(A$(A)'],
    ['does not expand what it found', '$(REF)', '$(A)'],
    ['knows any name that Kubernetes allows', '$(odd name.1)', 'odd'],
    ['takes the first parenthesis for the end', '$(A))', 'a)'],
    ['keeps a dollar before a dollar reference', '$x$(A)', '$xa'],
    ['leaves other letters whole', '$é$(A)', '$éa'],
  ])('%s: %s', (_what, word, expanded) => {
    expect(expandArgs([word], env)).toEqual([expanded]);
  });
});

describe('an environment', () => {
  const ofLiterals = (entries: readonly EnvVar[]) => expandEnv(entries, new Map(), () => undefined);

  test('takes values from the variables before only', () => {
    const later = [
      { name: 'X', value: '$(Y)' },
      { name: 'Y', value: '1' },
      { name: 'Z', value: '$(X)/$(Y)' },
    ];
    expect(ofLiterals(later).map(({ value }) => value)).toEqual(['$(Y)', '1', '$(Y)/1']);
  });

  test('lets a variable extend an earlier one of its name', () => {
    const twice = [
      { name: 'P', value: '/a' },
      { name: 'P', value: '$(P):/b' },
    ];
    expect(ofLiterals(twice)).toEqual([{ name: 'P', value: '/a:/b' }]);
  });

  test('takes what comes from elsewhere as it is, and leaves out what there is not', () => {
    const entries: readonly EnvEntry[] = [
      { name: 'A', from: { kind: 'field', path: 'metadata.name' } },
      { name: 'B', from: { kind: 'field', path: 'none' } },
      { name: 'C', value: '$(A)-$(B)-$(G)' },
      { name: 'G', value: 'over' },
    ];
    const valueOf = (source: EnvSource) => (source.kind === 'field' && source.path === 'none' ? undefined : '$(C)');
    expect(expandEnv(entries, new Map([['G', 'given']]), valueOf)).toEqual([
      { name: 'G', value: 'over' },
      { name: 'A', value: '$(C)' },
      { name: 'C', value: '$(C)-$(B)-given' },
    ]);
  });
});
