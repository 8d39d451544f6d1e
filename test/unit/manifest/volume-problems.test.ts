import { describe, expect, test } from 'vitest';
import { podFromObject } from '../../../src/manifest/parse.ts';
import { aVolumeMount, anEmptyDir } from '../../support/pods.ts';
import { C, LABEL, only, pod, problems, withoutPlace } from './sketch.ts';

describe('a volume mount', () => {
  test.each([
    ['needs a path', '[{name: v}]', '[0].mountPath: Required value'],
    [
      'needs a path without a colon',
      '[{name: v, mountPath: "/a:b"}]',
      `[0].mountPath: Invalid value: "/a:b": must not contain ':'`,
    ],
    ['needs a volume', '[{mountPath: /a}]', '[0].name: Required value'],
    ['needs a volume that there is', '[{name: w, mountPath: /a}]', '[0].name: Not found: "w"'],
    ['is not the root', '[{name: v, mountPath: /a/..}]', '[0].mountPath: Invalid value: "/a/..": must not be the root'],
    [
      'of a part of a volume stays below it',
      '[{name: v, mountPath: /a, subPath: /b}]',
      '[0].subPath: Invalid value: "/b": must be a relative path',
    ],
    [
      'of a part of a volume does not climb',
      '[{name: v, mountPath: /a, subPathExpr: $(B)/..}]',
      `[0].subPathExpr: Invalid value: "$(B)/..": must not contain '..'`,
    ],
    [
      'says one part only',
      '[{name: v, mountPath: /a, subPath: a, subPathExpr: b}]',
      '[0].subPathExpr: Invalid value: "b": subPathExpr and subPath are mutually exclusive',
    ],
    [
      'that the host sees needs privileges',
      '[{name: v, mountPath: /a, mountPropagation: Bidirectional}]',
      '[0].mountPropagation: Forbidden: Bidirectional mount propagation is available only to privileged containers',
    ],
    [
      'of which all is read-only is read-only',
      '[{name: v, mountPath: /a, recursiveReadOnly: IfPossible}]',
      '[0].recursiveReadOnly: Forbidden: may only be specified when readOnly is true',
    ],
    [
      'of which all is read-only is not passed on',
      '[{name: v, mountPath: /a, readOnly: true, recursiveReadOnly: Enabled, mountPropagation: HostToContainer}]',
      '[0].recursiveReadOnly: Forbidden: may only be specified when mountPropagation is None or not specified',
    ],
    [
      'is passed on in a known way',
      '[{name: v, mountPath: /a, mountPropagation: Both}]',
      '[0].mountPropagation: Unsupported value: "Both": supported values: "Bidirectional", "HostToContainer", "None"',
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

  test('is writable unless it says otherwise, and its path is absolute', () => {
    const mounts =
      'volumeMounts: [{name: v, mountPath: a}, {name: v, mountPath: /b//c/, readOnly: true, mountPropagation: None, recursiveReadOnly: IfPossible, subPath: s}]';
    const parsed = only(pod([mounts], ['volumes: [{name: v}]']));
    expect(parsed.containers[0]?.volumeMounts).toEqual([
      aVolumeMount({ mountPath: '/a' }),
      aVolumeMount({ mountPath: '/b/c', readOnly: true, recursiveReadOnly: true, subPath: 's' }),
    ]);
  });

  test('of an init container follows the same rules', () => {
    const init = 'initContainers: [{name: i, image: b, volumeMounts: [{name: w, mountPath: /a}]}]';
    expect(problems(pod([], [init])).map(withoutPlace)).toEqual([
      'spec.initContainers[0].volumeMounts[0].name: Not found: "w"',
    ]);
  });
});

describe('a volume', () => {
  test.each([
    ['needs a name', '[{emptyDir: {}}]', ['[0].name: Required value']],
    ['needs a proper name', '[{name: V, emptyDir: {}}]', [`[0].name: Invalid value: "V": ${LABEL}`]],
    [
      'needs a name of its own',
      '[{name: v, emptyDir: {}}, {name: v, emptyDir: {}}]',
      ['[1].name: Duplicate value: "v"'],
    ],
    [
      'comes from one source',
      '[{name: v, emptyDir: {}, hostPath: {path: /a}}]',
      ['[0].hostPath: Forbidden: may not specify more than 1 volume type'],
    ],
    ['of the host needs a path', '[{name: v, hostPath: {type: File}}]', ['[0].hostPath.path: Required value']],
    [
      'of the host does not climb',
      '[{name: v, hostPath: {path: /a/../b}}]',
      ['[0].hostPath.path: Invalid value: "/a/../b": must not contain \'..\''],
    ],
    [
      'of the host is of a known type',
      '[{name: v, hostPath: {path: /a, type: Folder}}]',
      [
        '[0].hostPath.type: Unsupported value: "Folder": supported values: "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"',
      ],
    ],
    [
      'is not smaller than nothing',
      '[{name: v, emptyDir: {sizeLimit: -1Mi}}]',
      ['[0].emptyDir.sizeLimit: Forbidden: SizeLimit field must be a valid resource quantity'],
    ],
    [
      'needs the name of its claim',
      '[{name: v, persistentVolumeClaim: {readOnly: true}}]',
      ['[0].persistentVolumeClaim.claimName: Required value'],
    ],
  ])('%s', (_, volumes, messages) => {
    expect(problems(pod([], [`volumes: ${volumes}`])).map(withoutPlace)).toEqual(
      messages.map((message) => `spec.volumes${message}`),
    );
  });

  test('without a source is an emptyDir, and shown as one', () => {
    const parsed = only(
      pod(
        [],
        [
          'volumes: [{name: v}, {name: w, emptyDir: {medium: ""}}, {name: x, emptyDir: {medium: Memory, sizeLimit: 1.5Mi}}]',
        ],
      ),
    );
    expect(parsed.volumes).toEqual([
      anEmptyDir(),
      anEmptyDir({ name: 'w' }),
      anEmptyDir({ name: 'x', medium: 'Memory', sizeLimit: '1.5Mi' }),
    ]);
    expect(parsed.object.spec?.volumes?.[0]).toEqual({ name: 'v', emptyDir: {} });
    expect(podFromObject(parsed.object)).toEqual(parsed);
  });
});

describe('a volume of files', () => {
  test.each([
    ['needs a ConfigMap', '{configMap: {}}', ['.configMap.name: Required value']],
    ['needs a Secret', '{secret: {items: []}}', ['.secret.secretName: Required value']],
    [
      'needs keys and paths',
      '{configMap: {name: m, items: [{key: k}, {path: p}]}}',
      ['.configMap.items[0].path: Required value', '.configMap.items[1].key: Required value'],
    ],
    [
      'stays below itself',
      '{secret: {secretName: s, items: [{key: k, path: /a}, {key: k, path: a/../b}, {key: k, path: ..a}]}}',
      [
        '.secret.items[0].path: Invalid value: "/a": must be a relative path',
        `.secret.items[1].path: Invalid value: "a/../b": must not contain '..'`,
        `.secret.items[2].path: Invalid value: "..a": must not start with '..'`,
      ],
    ],
    [
      'has sensible modes',
      '{configMap: {name: m, defaultMode: 01000, items: [{key: k, path: p, mode: -1}]}}',
      [
        '.configMap.defaultMode: Invalid value: 512: must be a number between 0 and 0777 (octal), both inclusive',
        '.configMap.items[0].mode: Invalid value: -1: must be a number between 0 and 0777 (octal), both inclusive',
      ],
    ],
    [
      'knows what a pod may be told about itself',
      '{downwardAPI: {items: [{path: a}, {path: b, fieldRef: {fieldPath: status.podIP}}, {path: c, resourceFieldRef: {resource: limits.cpu}}]}}',
      [
        '.downwardAPI.items[0]: Required value: one of fieldRef and resourceFieldRef is required',
        '.downwardAPI.items[1].fieldRef.fieldPath: Unsupported value: "status.podIP": supported values: "metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"',
        '.downwardAPI.items[2].resourceFieldRef.containerName: Required value',
      ],
    ],
    [
      'comes from one source a time',
      '{projected: {sources: [{configMap: {name: m}, secret: {name: s}}]}}',
      ['.projected.sources[0]: Forbidden: may not specify more than 1 volume type under sources'],
    ],
    [
      'has one file on a path',
      '{projected: {sources: [{configMap: {name: m, items: [{key: k, path: p}]}}, {secret: {name: s, items: [{key: k, path: p}]}}]}}',
      ['.projected: Invalid value: "p": conflicting duplicate paths'],
    ],
    [
      'cannot hold a token',
      '{projected: {sources: [{serviceAccountToken: {path: token}}]}}',
      ['.projected.sources[0].serviceAccountToken: Forbidden: there is no API server to issue a token'],
    ],
  ])('%s', (_, source, messages) => {
    const text = pod([], [`volumes: [{name: v, ${source.slice(1, -1)}}]`]);
    expect(problems(text).map(withoutPlace)).toEqual(messages.map((message) => `spec.volumes[0]${message}`));
  });

  test('is the same whatever kind of source it has', () => {
    const items = '[{key: k, path: a/b, mode: 0400}]';
    const downward = '[{path: l, fieldRef: {fieldPath: "metadata.labels[\'x\']"}}]';
    const parsed = only(
      pod(
        [],
        [
          'volumes:',
          `- {name: a, configMap: {name: m, items: ${items}, optional: true}}`,
          '- {name: b, secret: {secretName: s, defaultMode: 256}}',
          `- {name: c, projected: {sources: [{secret: {name: s}}, {downwardAPI: {items: ${downward}}}]}}`,
        ],
      ),
    );
    const labels = { path: 'l', mode: undefined, from: { kind: 'field', path: "metadata.labels['x']" } };
    expect(parsed.volumes).toEqual([
      {
        kind: 'configMap',
        name: 'a',
        sources: [{ kind: 'configMap', object: 'm', items: [{ key: 'k', path: 'a/b', mode: 0o400 }], optional: true }],
        defaultMode: 0o644,
      },
      {
        kind: 'secret',
        name: 'b',
        sources: [{ kind: 'secret', object: 's', items: [], optional: false }],
        defaultMode: 0o400,
      },
      {
        kind: 'projected',
        name: 'c',
        sources: [
          { kind: 'secret', object: 's', items: [], optional: false },
          { kind: 'downwardAPI', items: [labels] },
        ],
        defaultMode: 0o644,
      },
    ]);
    expect(podFromObject(parsed.object)).toEqual(parsed);
  });
});
