import { describe, expect, test } from 'vitest';
import { parseDuration } from '../../../src/base/duration.ts';
import { resolveRoots } from '../../../src/cli/globals.ts';
import { parseSelector } from '../../../src/cli/selector.ts';
import { parsePodNames, parseTarget } from '../../../src/cli/words.ts';

describe('what a verb is about', () => {
  test.each<[words: string[], kind: string, names: string[]]>([
    [['pods'], 'pods', []],
    [['po'], 'pods', []],
    [['pod', 'a', 'b'], 'pods', ['a', 'b']],
    [['pod/a', 'pods/b'], 'pods', ['a', 'b']],
    [['events'], 'events', []],
    [['cm'], 'ConfigMap', []],
    [['secrets', 'a'], 'Secret', ['a']],
    [['pvc/data'], 'PersistentVolumeClaim', ['data']],
  ])('%j', (words, kind, names) => {
    expect(parseTarget(words)).toEqual({ kind, names });
  });

  test.each<[words: string[], code: string, text: RegExp]>([
    [['gizmo'], 'usage', /kind "gizmo" is not known/],
    [['pod', 'pod/a'], 'usage', /no need to specify a resource type/],
    [['pod/a/b'], 'usage', /single resource and name/],
    [['pod/a', 'event/b'], 'usage', /one kind/],
    [['pod', '../../etc'], 'usage', /no need|single resource/],
    [['pod', 'Bad_Name'], 'pod.not-found', /pods "Bad_Name" not found/],
    [['pod', '..'], 'pod.not-found', /not found/],
    [['secret', '../x'], 'usage', /no need/],
    [['pvc', 'Bad'], 'object.not-found', /persistentvolumeclaims "Bad" not found/],
  ])('%j is refused', (words, code, text) => {
    expect(() => parseTarget(words)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(text) as string }),
    );
  });

  test.each<[words: string[], names: string[]]>([
    [
      ['pod', 'a', 'b'],
      ['a', 'b'],
    ],
    [['pod/a'], ['a']],
    [
      ['a', 'b'],
      ['a', 'b'],
    ],
    [['pod'], ['pod']],
    [[], []],
  ])('%j names pods', (words, names) => {
    expect(parsePodNames(words)).toEqual(names);
  });
});

test.each([
  ['5', 5],
  ['1.5', 1.5],
  ['30s', 30],
  ['1m30s', 90],
  ['500ms', 0.5],
  ['2h', 7200],
  ['', undefined],
  ['-5s', undefined],
  ['5 s', undefined],
  ['s', undefined],
  ['1m30', undefined],
])('the duration %j is %s s', (text, seconds) => {
  expect(parseDuration(text)).toBe(seconds);
});

test.each([
  ['app=web', true],
  ['app==web,tier!=db', true],
  ['app!=web', false],
  ['app', true],
  ['!app', false],
  ['!tier', true],
  ['app in (web, api)', true],
  ['app notin (web)', false],
  ['tier notin (db),app', true],
])('the selector %j', (text, selected) => {
  expect(parseSelector(text)({ app: 'web' })).toBe(selected);
});

test('a selector that makes no sense is a usage error', () => {
  expect(() => parseSelector('a ~ b')).toThrow(expect.objectContaining({ code: 'usage' }));
});

describe('the folders', () => {
  const defaults = { root: '/var/lib/minirt', state: '/run/minirt', logs: '/var/log/minirt/pods' };
  test.each<[what: string, env: Record<string, string>, options: object, roots: object]>([
    ['are the usual ones', {}, {}, defaults],
    [
      'come from the environment',
      { MINIRT_ROOT: '/r', MINIRT_STATE: '/s' },
      {},
      { root: '/r', state: '/s', logs: '/r/logs' },
    ],
    ['flags win', { MINIRT_ROOT: '/r' }, { root: '/q' }, { ...defaults, root: '/q', logs: '/q/logs' }],
    ['logs stay with a chosen root', {}, { root: '/q' }, { ...defaults, root: '/q', logs: '/q/logs' }],
    ['unless they are chosen', {}, { root: '/q', logDir: '/l' }, { ...defaults, root: '/q', logs: '/l' }],
    ['or given by the environment', { MINIRT_LOGS: '/l' }, { root: '/q' }, { ...defaults, root: '/q', logs: '/l' }],
    ['an empty variable is none', { MINIRT_ROOT: '' }, {}, defaults],
  ])('%s', (_what, env, options, roots) => {
    expect(resolveRoots(env, options)).toEqual(roots);
  });
});
