import { describe, expect, test } from 'vitest';
import { LOG_BYTES, asksForLog, logTail, messageText } from '../../../src/pod/last-words.ts';

const STAMP = '2026-01-01T00:00:00.123456789Z';
const full = (text: string, stream = 'stdout'): string => `${STAMP} ${stream} F ${text}\n`;
const partial = (text: string): string => `${STAMP} stdout P ${text}\n`;
const tailOf = (log: string): string => logTail(Buffer.from(log)).toString();

describe('the log stands in for a message', () => {
  const fallback = { terminationMessagePolicy: 'FallbackToLogsOnError' } as const;
  test.each([
    ['when the container failed without one', fallback, 1, '', true],
    ['when it was killed', fallback, 137, '', true],
    ['not when it went well', fallback, 0, '', false],
    ['not when it left one', fallback, 1, 'said', false],
    ['not unless the manifest asks for it', { terminationMessagePolicy: 'File' } as const, 1, '', false],
  ])('%s', (_, container, exitCode, file, expected) => {
    expect(asksForLog(container, exitCode, Buffer.from(file))).toBe(expected);
  });
});

describe('the end of a log', () => {
  test.each([
    ['is what was printed, without stamps', full('last words'), 'last words\n'],
    ['has both streams in their order', full('a') + full('b', 'stderr') + full('c'), 'a\nb\nc\n'],
    ['joins what was logged in parts', partial('one ') + partial('line ') + full('only'), 'one line only\n'],
    ['may end within a line', partial('no end'), 'no end'],
    ['keeps empty lines', full('a') + full('') + full('b'), 'a\n\nb\n'],
    ['leaves out a first line that is cut', `stdout F gone\n${full('kept')}`, 'kept\n'],
    ['leaves out a line that is still being written', `${full('kept')}${STAMP} stdout F go`, 'kept\n'],
    ['of nothing is nothing', '', ''],
  ])('%s', (_, log, expected) => {
    expect(tailOf(log)).toBe(expected);
  });

  test('has 80 lines at most', () => {
    const lines = Array.from({ length: 100 }, (_, i) => `l${i}`);
    expect(tailOf(lines.map((line) => full(line)).join(''))).toBe(`${lines.slice(-80).join('\n')}\n`);
  });

  test('counts each part of a long line', () => {
    const parts = Array.from({ length: 100 }, (_, i) => `${i};`);
    expect(tailOf(parts.map(partial).join(''))).toBe(parts.slice(-80).join(''));
  });

  test('has 2048 bytes at most, the last ones', () => {
    const lines = Array.from({ length: 30 }, (_, i) => `${i}`.padStart(99, 'x'));
    const said = `${lines.join('\n')}\n`;
    expect(tailOf(lines.map((line) => full(line)).join(''))).toBe(said.slice(-2048));
  });

  test('is the same, however much of the log is before what is read of it', () => {
    // As long as the monitor makes an entry.
    const log = Array.from({ length: 9 }, (_, i) => full(`${i}`.repeat(16_000))).join('');
    expect(tailOf(Buffer.from(log).subarray(-LOG_BYTES).toString())).toBe(tailOf(log));
    expect(tailOf(log)).toBe(`${'8'.repeat(2047)}\n`);
  });

  test('is cut by bytes, and shown as text', () => {
    const said = logTail(Buffer.from(full('€'.repeat(1000))));
    expect(said).toHaveLength(2048);
    expect(messageText(said, 1)).toMatch(/^�€+\n$/);
  });
});

describe('the message in the status', () => {
  test('is missing when nothing was said', () => {
    expect(messageText(Buffer.alloc(0), 1)).toBeUndefined();
  });

  test.each([
    ['one container has all it said', 1, 4096],
    ['three containers fill the 12 KiB', 3, 4096],
    ['four have a quarter each', 4, 3072],
    ['fifty have a fiftieth each', 50, 245],
  ])('%s', (_, containers, length) => {
    const said = Buffer.from(Array.from({ length: 4096 }, (__, i) => String.fromCharCode(97 + (i % 26))).join(''));
    expect(messageText(said, containers)).toBe(said.toString().slice(0, length));
  });
});
