import { describe, expect, test } from 'vitest';
import { GrowingTable, layOut, table } from '../../../src/cli/render/columns.ts';
import { humanSize } from '../../../src/cli/bytes.ts';
import { age, humanDuration } from '../../../src/cli/render/duration.ts';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

describe('an age', () => {
  test.each<[seconds: number, text: string]>([
    [-5, '<invalid>'],
    [-1, '0s'],
    [0, '0s'],
    [119.9, '119s'],
    [2 * MINUTE, '2m'],
    [5 * MINUTE + 19, '5m19s'],
    [10 * MINUTE + 59, '10m'],
    [179 * MINUTE, '179m'],
    [3 * HOUR, '3h'],
    [3 * HOUR + 5 * MINUTE, '3h5m'],
    [8 * HOUR + 5 * MINUTE, '8h'],
    [47 * HOUR, '47h'],
    [2 * DAY, '2d'],
    [2 * DAY + 5 * HOUR, '2d5h'],
    [8 * DAY + 5 * HOUR, '8d'],
    [729 * DAY, '729d'],
    [2 * 365 * DAY + DAY, '2y1d'],
    [9 * 365 * DAY + DAY, '9y'],
  ])('of %d s is %s', (seconds, text) => {
    expect(humanDuration(seconds * 1000)).toBe(text);
  });

  test('of something without a time is unknown', () => {
    expect(age(undefined, new Date())).toBe('<unknown>');
  });
});

describe('a table', () => {
  test('is laid out as kubectl does', () => {
    const rows = [
      ['deaf-grace-3', '0/1', 'ContainerCreating', '0', '1s'],
      ['run-as-nonroot-refused', '0/1', 'CreateContainerConfigError', '0', '2s'],
      ['init-fails-always', '0/1', 'Init:Error', '1 (3s ago)', '3s'],
    ];
    expect(table(['NAME', 'READY', 'STATUS', 'RESTARTS', 'AGE'], rows)).toBe(
      [
        'NAME                     READY   STATUS                       RESTARTS     AGE',
        'deaf-grace-3             0/1     ContainerCreating            0            1s',
        'run-as-nonroot-refused   0/1     CreateContainerConfigError   0            2s',
        'init-fails-always        0/1     Init:Error                   1 (3s ago)   3s',
        '',
      ].join('\n'),
    );
  });

  test('cannot be broken by what a cell says', () => {
    expect(table(undefined, [['a\tb', 'x\u001b[31m\nred']])).toBe('a b   x[31m red\n');
  });
});

describe('a description', () => {
  test('has columns that end where a line has none', () => {
    const lines = [
      '  c:',
      '    Limits:',
      '      memory:\t24Mi',
      '    Requests:',
      '      memory:\t24Mi',
      '    Environment:\t<none>',
      '    Mounts:\t<none>',
    ];
    expect(layOut(lines)).toBe(
      [
        '  c:',
        '    Limits:',
        '      memory:  24Mi',
        '    Requests:',
        '      memory:     24Mi',
        '    Environment:  <none>',
        '    Mounts:       <none>',
        '',
      ].join('\n'),
    );
  });
});

test('a table that is watched keeps the width its columns had', () => {
  const watched = new GrowingTable();
  expect(
    watched.add([
      ['NAME', 'READY', 'AGE'],
      ['a-long-name', '1/1', '5s'],
    ]),
  ).toBe('NAME          READY   AGE\na-long-name   1/1     5s\n');
  expect(watched.add([['b', '0/1', '1s']])).toBe('b             0/1     1s\n');
  expect(watched.add([['an-even-longer-name', '0/1', '1s']])).toBe('an-even-longer-name   0/1     1s\n');
  expect(watched.add([['b', '1/1', '1s']])).toBe('b                     1/1     1s\n');
});

test.each([
  [0, '0B'],
  [999, '999B'],
  [1234, '1.23kB'],
  [187_432_100, '187MB'],
  [2_000_000_000, '2GB'],
])('%d bytes are %s', (bytes, text) => {
  expect(humanSize(bytes)).toBe(text);
});
