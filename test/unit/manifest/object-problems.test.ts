import { describe, expect, test } from 'vitest';
import { formatProblem, parseManifest } from '../../../src/manifest/parse.ts';

function problems(kind: string, ...lines: readonly string[]): readonly string[] {
  const text = ['apiVersion: v1', `kind: ${kind}`, 'metadata: {name: o}', ...lines].join('\n');
  return parseManifest(text, { file: 'o.yaml', validate: 'strict' }).problems.map(formatProblem);
}

const KEY =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

describe('a ConfigMap', () => {
  test.each<[string, readonly string[], readonly string[]]>([
    ['of nothing', [], []],
    ['of all there is', ['data: {a.b-c_D: ""}', 'binaryData: {x: AAEC}', 'immutable: true'], []],
    ['with a key of other letters', ['data: {a/b: x}'], [`o.yaml:4:13: data[a/b]: Invalid value: "a/b": ${KEY}`]],
    ['with the key ..', ['data: {..: x}'], [`o.yaml:4:12: data[..]: Invalid value: "..": must not be '..'`]],
    [
      'with a key that starts so',
      ['data: {..x: x}'],
      [`o.yaml:4:13: data[..x]: Invalid value: "..x": must not start with '..'`],
    ],
    [
      'with a key that is there twice',
      ['data: {a: x}', 'binaryData: {a: AAEC}'],
      ['o.yaml:4:11: data[a]: Invalid value: "a": duplicate of key present in binaryData'],
    ],
    [
      'with bytes that are none',
      ['binaryData: {a: "?"}'],
      ['o.yaml:4:17: binaryData[a]: Invalid value: must be base64'],
    ],
    [
      'with a number',
      ['data: {port: 80}'],
      ['o.yaml:4:14: data[port]: Invalid value: "integer": must be of type string; put it in quotes'],
    ],
    ['with an unknown field', ['dat: {a: b}'], ['o.yaml:4:1: dat: unknown field "dat"; did you mean "data"?']],
    [
      'that is too large',
      [`data: {a: ${'x'.repeat(1_048_577)}}`],
      ['o.yaml:4:7: data: Too long: may not be more than 1048576 bytes'],
    ],
  ])('%s', (_, lines, expected) => {
    expect(problems('ConfigMap', ...lines)).toEqual(expected);
  });
});

describe('a Secret', () => {
  test.each<[string, readonly string[], readonly string[]]>([
    ['of nothing', [], []],
    ['of both kinds of data', ['data: {a: YQ==}', 'stringData: {a: b}', 'type: example.com/mine'], []],
    ['with data that is no base64', ['data: {a: "a b"}'], ['o.yaml:4:11: data[a]: Invalid value: must be base64']],
    ['of TLS', ['type: kubernetes.io/tls', 'data: {tls.crt: ""}'], ['o.yaml:5:7: data[tls.key]: Required value']],
    ['of TLS that is whole', ['type: kubernetes.io/tls', 'stringData: {tls.crt: a, tls.key: b}'], []],
    ['of a user', ['type: kubernetes.io/basic-auth'], ['o.yaml:1:1: data[password]: Required value']],
    [
      'of a registry',
      ['type: kubernetes.io/dockerconfigjson'],
      ['o.yaml:1:1: data[.dockerconfigjson]: Required value'],
    ],
  ])('%s', (_, lines, expected) => {
    expect(problems('Secret', ...lines)).toEqual(expected);
  });
});

describe('a PersistentVolumeClaim', () => {
  const MODES = '"ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"';
  const size = 'resources: {requests: {storage: 1Gi}}';

  test.each<[string, readonly string[], readonly string[]]>([
    ['of what is needed', [`spec: {accessModes: [ReadWriteOnce], ${size}}`], []],
    [
      'as a cluster shows it',
      [
        `spec: {accessModes: [ReadWriteOnce], storageClassName: standard, volumeMode: Filesystem, volumeName: pv-1, ${size}}`,
        'status: {phase: Bound, capacity: {storage: 1Gi}}',
      ],
      [],
    ],
    [
      'of nothing',
      [],
      [
        'o.yaml:1:1: spec.accessModes: Required value: at least 1 access mode is required',
        'o.yaml:1:1: spec.resources[storage]: Required value',
      ],
    ],
    [
      'with an access mode that there is not',
      [`spec: {accessModes: [ReadOnce], ${size}}`],
      [`o.yaml:4:21: spec.accessModes: Unsupported value: "ReadOnce": supported values: ${MODES}`],
    ],
    [
      'for one pod and for others',
      [`spec: {accessModes: [ReadWriteOncePod, ReadWriteOnce], ${size}}`],
      ['o.yaml:4:21: spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes'],
    ],
    [
      'of no size',
      ['spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: "0"}}}'],
      ['o.yaml:4:49: spec.resources[storage]: Invalid value: "0": must be greater than zero'],
    ],
    [
      'of a block device',
      [`spec: {accessModes: [ReadWriteOnce], volumeMode: Block, ${size}}`],
      ['o.yaml:4:38: spec.volumeMode: Forbidden: a claim is a folder here, not a block device'],
    ],
    [
      'of a copy',
      [`spec: {accessModes: [ReadWriteOnce], dataSource: {kind: PersistentVolumeClaim, name: a}, ${size}}`],
      ['o.yaml:4:38: spec.dataSource: Forbidden: copies and snapshots need a storage driver'],
    ],
  ])('%s', (_, lines, expected) => {
    expect(problems('PersistentVolumeClaim', ...lines)).toEqual(expected);
  });
});
