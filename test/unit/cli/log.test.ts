import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LineSplitter, fixedTime, parseCriLine } from '../../../src/base/cri.ts';
import { LogPrinter, Tail } from '../../../src/cli/log/printer.ts';

const T = '2026-11-22T22:56:18.000000001Z';
const parse = (line: string) => parseCriLine(Buffer.from(line));

describe('a line of a CRI log', () => {
  test.each<[what: string, line: string, stream: string, partial: boolean, content: string]>([
    ['whole', `${T} stdout F hello world`, 'stdout', false, 'hello world'],
    ['partial', `${T} stderr P DONE`, 'stderr', true, 'DONE'],
    ['with more tags', `${T} stdout P:x:y part`, 'stdout', true, 'part'],
    ['empty', `${T} stdout F `, 'stdout', false, ''],
    ['empty, without the blank', `${T} stdout F`, 'stdout', false, ''],
    ['that begins with blanks', `${T} stdout F   x`, 'stdout', false, '  x'],
  ])('%s', (_what, line, stream, partial, content) => {
    expect(parse(line)).toEqual({ time: T, stream, partial, content: Buffer.from(content) });
  });

  test.each(['', 'hello', `${T}`, `${T} stdout`, `${T} stdin F x`, `${T} stdout X x`, `yesterday stdout F x`])(
    'that is none: %j',
    (line) => {
      expect(parse(line)).toBeUndefined();
    },
  );

  test.each([
    ['2026-11-22T22:56:18Z', '2026-11-22T22:56:18.000000000Z'],
    ['2026-11-22T22:56:18.5Z', '2026-11-22T22:56:18.500000000Z'],
    ['2026-11-22T22:56:18.123456789+01:00', '2026-11-22T22:56:18.123456789+01:00'],
  ])('has a time of fixed width: %s', (time, fixed) => {
    expect(fixedTime(time)).toBe(fixed);
  });
});

test('lines are the same however the bytes were cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: 'binary' }).map((s) => s.replaceAll('\n', ' '))),
      fc.array(fc.nat(20)),
      (lines, cuts) => {
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
        const splitter = new LineSplitter();
        const found: string[] = [];
        let from = 0;
        for (const cut of [...cuts, bytes.length]) {
          found.push(...splitter.push(bytes.subarray(from, from + cut)).map(String));
          from += cut;
        }
        expect(found).toEqual(lines.map((line) => Buffer.from(line).toString()));
      },
    ),
  );
});

describe('what is printed', () => {
  const entries = (...lines: string[]) => lines.map((line) => parse(line)).filter((entry) => entry !== undefined);
  const print = (options: object, ...lines: string[]): string => {
    const printer = new LogPrinter({ timestamps: false, since: undefined, prefix: '', ...options });
    return Buffer.concat([...entries(...lines).map((entry) => printer.print(entry)), printer.end()]).toString();
  };
  const parts = [`${T} stdout P one `, `${T} stdout F line`, `${T} stdout P DONE`];

  test('joins the parts of a line, and adds no newline that was not there', () => {
    expect(print({}, ...parts)).toBe('one line\nDONE');
  });
  test('has one time a line', () => {
    expect(print({ timestamps: true }, ...parts)).toBe(`${T} one line\n${T} DONE`);
  });
  test('with a prefix has whole lines only', () => {
    expect(print({ prefix: '[c] ' }, ...parts)).toBe('[c] one line\n[c] DONE\n');
  });
  test('leaves out what is too old', () => {
    const since = Date.parse('2026-11-22T22:56:19Z');
    expect(print({ since }, `${T} stdout F old`, '2026-11-22T22:56:19Z stdout F new')).toBe('new\n');
  });

  test.each<[count: number, text: string]>([
    [0, ''],
    [1, 'three'],
    [2, 'two two|three'],
    [9, 'one|two two|three'],
  ])('--tail %d counts whole lines', (count, text) => {
    const tail = new Tail(count);
    const lines = [`${T} stdout F one`, `${T} stdout P two `, `${T} stdout F two`, `${T} stdout F three`];
    for (const entry of entries(...lines)) tail.push(entry);
    const printer = new LogPrinter({ timestamps: false, since: undefined, prefix: '' });
    const printed = Buffer.concat(tail.entries().map((entry) => printer.print(entry))).toString();
    expect(printed.trimEnd().replaceAll('\n', '|')).toBe(text);
  });
});
