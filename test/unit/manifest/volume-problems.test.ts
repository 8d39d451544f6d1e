import { describe, expect, test } from 'vitest';
import { C, only, pod, problems, withoutPlace } from './sketch.ts';

describe('a volume mount', () => {
  test.each([
    ['needs a path', '[{name: v}]', '[0].mountPath: Required value'],
    [
      'needs a path without a colon',
      '[{name: v, mountPath: "/a:b"}]',
      `[0].mountPath: Invalid value: "/a:b": must not contain ':'`,
    ],
    [
      'needs a path of its own',
      '[{name: v, mountPath: /a}, {name: v, mountPath: /a}]',
      '[1].mountPath: Invalid value: "/a": must be unique',
    ],
  ])('%s', (_, mounts, message) => {
    const text = pod([`volumeMounts: ${mounts}`], ['volumes: [{name: v, emptyDir: {}}]']);
    expect(problems(text).map(withoutPlace)).toEqual([`${C}.volumeMounts${message}`]);
  });

  test('is writable and absolute', () => {
    const parsed = only(pod(['volumeMounts: [{name: v, mountPath: a}]'], ['volumes: [{name: v}]']));
    expect(parsed.volumes).toEqual([{ kind: 'emptyDir', name: 'v' }]);
    expect(parsed.containers[0]?.volumeMounts).toEqual([{ name: 'v', mountPath: '/a', readOnly: false }]);
  });
});
