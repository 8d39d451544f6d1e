import { describe, expect, test } from 'vitest';
import { resolvePlain } from '../../../src/manifest/scalar.ts';

describe('an unquoted word', () => {
  test.each([
    ['', null],
    ['~', null],
    ['null', null],
    ['nUll', 'nUll'],
    ['yes', true],
    ['On', true],
    ['y', true],
    ['no', false],
    ['OFF', false],
    ['tRue', 'tRue'],
    ['0', 0],
    ['-7', -7],
    ['+7', 7],
    ['1_000', 1000],
    ['0x1F', 31],
    ['0b101', 5],
    ['017', 15],
    ['0o17', 15],
    ['-0x10', -16],
    ['1.5', 1.5],
    ['.5', 0.5],
    ['1e3', 1000],
    ['08', 8],
    ['1.2.3', '1.2.3'],
    ['22:22', '22:22'],
    ['2026-01-02', '2026-01-02'],
    ['500m', '500m'],
    ['64Mi', '64Mi'],
    ['0x', '0x'],
    ['_1', '_1'],
    ['-', '-'],
    ['.', '.'],
    ['1e', '1e'],
  ])('%j means to kubectl %j', (word, value) => {
    expect(resolvePlain(word)).toBe(value);
  });
});
