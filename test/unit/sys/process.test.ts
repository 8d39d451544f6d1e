import { describe, expect, test } from 'vitest';
import { kernelIsAtLeast, kernelVersion } from '../../../src/sys/host.ts';
import { openFiles, parseStart, processStart, processes } from '../../../src/sys/process.ts';
import { stateTag } from '../../../src/sys/state-tag.ts';

describe('process start', () => {
  test('is found behind a command with blanks and parentheses', () => {
    const fields = Array.from({ length: 50 }, (_, index) => String(index + 3));
    expect(parseStart(`7 (a) b (c)) ${fields.join(' ')}`)).toBe('22');
  });

  test('tells this process from one that is not there', () => {
    expect(processStart(process.pid)).toMatch(/^\d+$/);
    expect(processStart(2 ** 30)).toBeUndefined();
  });
});

test('lists this process with its command line and its files', () => {
  const self = processes().find(({ pid }) => pid === process.pid);
  expect(self?.start).toBe(processStart(process.pid));
  expect(openFiles('self').some(({ fd }) => fd === 1)).toBe(true);
  expect(openFiles(2 ** 30)).toEqual([]);
});

test.each([
  ['6.1.0-18-cloud-amd64', [6, 1]],
  ['5.15.167.4-microsoft-standard-WSL2', [5, 15]],
  ['unknown', [0, 0]],
])('kernel %s is %j', (text, version) => {
  expect(kernelVersion(text)).toEqual(version);
});

test.each([
  ['5.15.0', true],
  ['5.14.21', false],
  ['6.1.0', true],
  ['4.19.0', false],
])('kernel %s is at least 5.15: %j', (text, expected) => {
  expect(kernelIsAtLeast(5, 15, text)).toBe(expected);
});

test('the tag of a state folder does not depend on how it is written', () => {
  expect(stateTag('/run/minirt/')).toBe(stateTag('/run/../run/minirt'));
  expect(stateTag('/run/minirt')).toMatch(/^[0-9a-f]{8}$/);
  expect(stateTag('/run/minirt')).not.toBe(stateTag('/run/minirt2'));
});
