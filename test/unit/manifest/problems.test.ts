import { describe, expect, test } from 'vitest';
import { formatProblem, manifestError, parseManifest } from '../../../src/manifest/parse.ts';
import { C, pod, problems } from './sketch.ts';

describe('a text that holds no pod', () => {
  test.each([
    ['nothing', '', ['1:1: nothing to run: minirt runs pods, and this manifest is empty']],
    ['a comment', '# hi\n', ['1:1: nothing to run: minirt runs pods, and this manifest is empty']],
    [
      'prose',
      'just words',
      ['1:1: Invalid value: "string": a manifest is an object with apiVersion, kind, metadata and spec'],
    ],
    [
      'a list',
      '- a\n',
      ['1:1: Invalid value: "array": a manifest is an object with apiVersion, kind, metadata and spec'],
    ],
    [
      'an unclosed list',
      'a: [1',
      ['1:6: not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ]'],
    ],
    ['a tab', 'a:\n\tb: 1', ['2:1: not valid YAML: Tabs are not allowed as indentation']],
    ['binary', 'a\0b', ['1:2: not valid YAML: control characters are not allowed']],
    [
      'another kind',
      'apiVersion: v1\nkind: Service\nmetadata: {name: web}\n',
      ['1:1: nothing to run: minirt runs pods, and this manifest has only Service/web'],
    ],
    ['no kind', 'apiVersion: v1\n', ['1:1: kind: Required value']],
    ['a kind in the wrong case', 'apiVersion: v1\nKind: Pod\n', ['1:1: kind: Required value; is "Kind" meant?']],
    [
      'almost a pod',
      'apiVersion: v1\nkind: pod\n',
      ['2:7: kind: no matches for kind "pod" in version "v1"; minirt knows kind "Pod" in version "v1"'],
    ],
    [
      'a pod of another version',
      'apiVersion: apps/v1\nkind: Pod\n',
      ['1:13: apiVersion: no matches for kind "Pod" in version "apps/v1"; minirt knows kind "Pod" in version "v1"'],
    ],
    [
      'a pod without anything',
      'apiVersion: v1\nkind: Pod\n',
      ['1:1: metadata.name: Required value', '1:1: spec.containers: Required value'],
    ],
    ['a list without items', 'apiVersion: v1\nkind: List\n', ['1:1: items: Required value']],
    [
      'items that are no list',
      'apiVersion: v1\nkind: List\nitems: 5\n',
      ['3:8: items: Invalid value: "integer": must be of type array'],
    ],
  ])('%s', (_what, text, expected) => {
    expect(problems(text)).toEqual(expected);
  });

  test('is not a bomb: aliases may not multiply', () => {
    const level = (name: string, inner: string): string => `${name}: &${name} [${Array(20).fill(inner).join(',')}]\n`;
    const text = level('a', 'x') + level('b', '*a') + level('c', '*b') + level('d', '*c') + level('e', '*d');
    expect(problems(text)).toEqual([expect.stringMatching(/document contains excessive aliasing$/)]);
  });

  test.each([
    ['[', 50_000],
    ['{a: ', 10_000],
    ['- ', 10_000],
    ['a:\n', 1],
  ])('is not a tower: %j times %i ends with problems', (text, times) => {
    expect(problems(text.repeat(times)).length).toBeGreaterThan(0);
  });
});

describe('YAML that kubectl would not take either', () => {
  test.each([
    ['a key that is set twice', ['stdin: true', 'stdin: false'], `10:5: ${C}.stdin: duplicate field "stdin"`],
    ['an anchor that is not there', ['command: *x'], `9:14: ${C}.command: not valid YAML: unknown anchor "x"`],
    ['a tag that is not known', ['command: !shell x'], `9:21: ${C}.command: not valid YAML: unknown tag !shell`],
    ['a key that is a list', ['? [a]', ': b'], `9:7: ${C}: not valid YAML: a key must be a word`],
  ])('%s', (_what, lines, expected) => {
    expect(problems(pod(lines))).toContain(expected);
  });

  test('merge keys and anchors work', () => {
    const text = pod(['env: &e [{name: A, value: x}]', '<<: {tty: true, image: other}']);
    const { pods } = parseManifest(text, { file: 'f', validate: 'strict' });
    expect(pods[0]?.containers[0]).toMatchObject({ tty: true, image: 'busybox:1.36' });
  });
});

describe('all problems', () => {
  const text = pod(['comand: [x]', 'tty: 1'], ['restartPolicy: Sometimes'], ['name: P', 'labels: {a: 1}']);

  test('are said at once, in the order of the text', () => {
    expect(problems(text).map((line) => line.split(' ')[1])).toEqual([
      'metadata.name:',
      'metadata.labels[a]:',
      `${C}.comand:`,
      `${C}.tty:`,
      'spec.restartPolicy:',
    ]);
  });

  test('make one error, one line each, with the facts as data', () => {
    const { problems: all } = parseManifest(text, { file: 'f', validate: 'strict' });
    const error = manifestError(all);
    expect(error.code).toBe('manifest.invalid');
    expect(error.message.split('\n')).toEqual(all.map(formatProblem));
    expect(error.details['problems']).toEqual(all);
  });

  test('cannot paint the terminal', () => {
    const lines = problems(`apiVersion: v1\nkind: Pod\n"\\e[31m\\n": 1\n`);
    expect(lines).toContain('3:1: \\u001b[31m\\n: unknown field "\\u001b[31m\\n"');
  });
});
