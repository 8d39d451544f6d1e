import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseEnvFile } from '../../../src/pod/env-file.ts';

describe('a file of variables', () => {
  test.each<[string, Record<string, string>]>([
    ['', {}],
    ["A='1'", { A: '1' }],
    ["A='1'\nB='2'\n", { A: '1', B: '2' }],
    ["A='1'\r\nB=''\r\n", { A: '1', B: '' }],
    ["# all\n\n  A='x y'  # of it\n\t\n", { A: 'x y' }],
    ["A='one\n# two\nB=three'\n", { A: 'one\n# two\nB=three' }],
    ['A=\'$(B) "q" \\n\'', { A: '$(B) "q" \\n' }],
    ["A='1'\nA='2'", { A: '2' }],
  ])('%j', (text, expected) => {
    expect(Object.fromEntries(parseEnvFile(text))).toEqual(expected);
  });

  test.each([
    ['A=1', 1],
    ['A="1"', 1],
    ["A = '1'", 1],
    ["export A='1'", 1],
    ["A='1'\nB='2' x", 2],
    ["A='1\n2'\nB='open\n", 3],
    ["='1'", 1],
  ])('%j is refused, and its text is not told', (text, line) => {
    expect(() => parseEnvFile(text)).toThrow(
      expect.objectContaining({
        code: 'config.missing',
        message: `couldn't parse env file: line ${line} is not KEY='value'`,
      }),
    );
  });

  test('keeps every value that has no quote', () => {
    const value = fc.string().filter((text) => !/['\r]/.test(text));
    const key = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_.-]*$/);
    fc.assert(
      fc.property(fc.dictionary(key, value), (variables) => {
        const text = Object.entries(variables).map(([name, one]) => `${name}='${one}'\n`);
        expect(Object.fromEntries(parseEnvFile(text.join('')))).toEqual(variables);
      }),
    );
  });
});
