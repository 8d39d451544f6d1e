import { describe, expect, test } from 'vitest';
import { parseManifest } from '../../../src/manifest/parse.ts';
import { podWith } from './sketch.ts';

/** What is said of the first variable, or source of variables, of a container. */
function said(line: string): readonly string[] {
  const { problems } = parseManifest(podWith([line]), { file: 'p.yaml', validate: 'strict' });
  return problems.map(({ path, message }) => `${path.replace('spec.containers[0].', '')}: ${message}`);
}

describe('a variable that comes from somewhere', () => {
  test.each<[string, readonly string[]]>([
    ['{configMapKeyRef: {name: m, key: k}}', []],
    ['{secretKeyRef: {name: m, key: k, optional: true}}', []],
    ['{fieldRef: {fieldPath: status.podIP}}', []],
    [`{fieldRef: {apiVersion: v1, fieldPath: "metadata.labels['a.b/c']"}}`, []],
    ['{resourceFieldRef: {resource: limits.memory, divisor: 1Mi, containerName: c}}', []],
    ['{resourceFieldRef: {resource: requests.hugepages-2Mi}}', []],
    [
      '{}',
      [
        'valueFrom: Invalid value: "": must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`',
      ],
    ],
    [
      '{configMapKeyRef: {name: m, key: k}, fieldRef: {fieldPath: metadata.name}}',
      ['valueFrom: Invalid value: "": may not have more than one field specified at a time'],
    ],
    ['{configMapKeyRef: {key: k}}', ['valueFrom.configMapKeyRef.name: Required value']],
    ['{secretKeyRef: {name: m}}', ['valueFrom.secretKeyRef.key: Required value']],
    ['{fieldRef: {}}', ['valueFrom.fieldRef.fieldPath: Required value']],
    [
      '{fieldRef: {fieldPath: metadata.labels}}',
      [
        expect.stringContaining(
          'valueFrom.fieldRef.fieldPath: Unsupported value: "metadata.labels": supported values: "metadata.name", ',
        ) as string,
      ],
    ],
    [
      '{resourceFieldRef: {resource: limits.gpu}}',
      [expect.stringContaining('Unsupported value: "limits.gpu"') as string],
    ],
    [
      '{resourceFieldRef: {resource: limits.cpu, divisor: 1Mi}}',
      [
        `valueFrom.resourceFieldRef.divisor: Invalid value: "cpu": only divisor's values 1m and 1 are supported with the cpu resource`,
      ],
    ],
    ['{fileKeyRef: {volumeName: v, path: a/b.env, key: K}}', ['valueFrom.fileKeyRef.volumeName: Not found: "v"']],
    [
      '{fileKeyRef: {}}',
      [
        'valueFrom.fileKeyRef.volumeName: Required value',
        'valueFrom.fileKeyRef.path: Required value',
        'valueFrom.fileKeyRef.key: Required value',
      ],
    ],
  ])('%s', (source, expected) => {
    expect(said(`env: [{name: V, valueFrom: ${source}}]`)).toEqual(
      expected.map((one) => (typeof one === 'string' ? `env[0].${one}` : one)),
    );
  });

  test('has no value of its own', () => {
    expect(said('env: [{name: V, value: x, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]')).toEqual([
      'env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty',
    ]);
  });
});

describe('variables from a whole object', () => {
  test.each<[string, readonly string[]]>([
    ['{configMapRef: {name: m}, prefix: "A "}', []],
    ['{secretRef: {name: m, optional: true}}', []],
    ['{prefix: X_}', ['envFrom[0]: Invalid value: "": must specify one of: `configMapRef` or `secretRef`']],
    [
      '{configMapRef: {name: m}, secretRef: {name: m}}',
      ['envFrom[0]: Invalid value: "": may not have more than one field specified at a time'],
    ],
    ['{configMapRef: {}}', ['envFrom[0].configMapRef.name: Required value']],
    [
      '{configMapRef: {name: m}, prefix: "a="}',
      [expect.stringContaining('envFrom[0].prefix: Invalid value: "a="') as string],
    ],
  ])('%s', (source, expected) => {
    expect(said(`envFrom: [${source}]`)).toEqual(expected);
  });
});
