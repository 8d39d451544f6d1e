import { describe, expect, test } from 'vitest';
import { LABEL, pod, problems } from './sketch.ts';

describe('a pod', () => {
  test.each([
    ['two containers of one name', ['- {name: c, image: b}'], `9:12: spec.containers[1].name: Duplicate value: "c"`],
    ['a container without a name', ['- {image: b}'], '9:5: spec.containers[1].name: Required value'],
    ['a container without an image', ['- {name: d}'], '9:5: spec.containers[1].image: Required value'],
    [
      'a container that is a word',
      ['- web'],
      '9:5: spec.containers[1]: Invalid value: "string": must be of type object',
    ],
    [
      'a container with a bad name',
      ['- {name: D_1, image: b}'],
      `9:12: spec.containers[1].name: Invalid value: "D_1": ${LABEL}`,
    ],
    [
      'an image with blanks',
      ['- {name: d, image: " b"}'],
      '9:22: spec.containers[1].image: Invalid value: " b": must not have leading or trailing whitespace',
    ],
    [
      'a bad restart policy',
      ['restartPolicy: No'],
      '9:18: spec.restartPolicy: Invalid value: "boolean": must be of type string; put it in quotes',
    ],
    [
      'an unknown restart policy',
      ['restartPolicy: Sometimes'],
      '9:18: spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "Never", "OnFailure"',
    ],
    ['a bad hostname', ['hostname: a.b'], `9:13: spec.hostname: Invalid value: "a.b": ${LABEL}`],
    ['Windows', ['os: {name: windows}'], '9:8: spec.os.name: Forbidden: minirt runs Linux containers'],
    [
      'containers for debugging',
      ['ephemeralContainers: [{name: e}]'],
      '9:3: spec.ephemeralContainers: Forbidden: ephemeral containers cannot be set on create',
    ],
    [
      'claims',
      ['resourceClaims: [{name: gpu}]'],
      '9:3: spec.resourceClaims: Forbidden: device claims need an API server and a driver',
    ],
    [
      'tolerations of a wrong shape',
      ['tolerations: [{kee: a}]'],
      '9:18: spec.tolerations[0].kee: unknown field "kee"; did you mean "key"?',
    ],
  ])('%s', (_what, lines, expected) => {
    expect(problems(pod([], lines))).toEqual([expected]);
  });

  test('a volume that no single host can mount says so', () => {
    expect(problems(pod([], ['volumes: [{name: v, nfs: {server: s, path: /}}]']))).toEqual([
      '9:23: spec.volumes[0].nfs: Forbidden: an NFS volume cannot be mounted by a runtime without a cluster',
    ]);
  });

  test.each([
    ['no name', ['labels: {}'], '4:3: metadata.name: Required value'],
    [
      'a name to be made up',
      ['generateName: a-'],
      '4:3: metadata.name: Required value: minirt makes up no names, so generateName is not enough',
    ],
    [
      'a name that is a number',
      ['name: 5'],
      '4:9: metadata.name: Invalid value: "integer": must be of type string; put it in quotes',
    ],
    [
      'a namespace with a dot',
      ['name: p', 'namespace: a.b'],
      `5:14: metadata.namespace: Invalid value: "a.b": ${LABEL}`,
    ],
    [
      'a label that is a number',
      ['name: p', 'labels: {v: 1.0}'],
      '5:15: metadata.labels[v]: Invalid value: "integer": must be of type string; put it in quotes',
    ],
    ['a label without a name', ['name: p', 'labels: {a/: x}'], undefined],
    [
      'a label with a long value',
      ['name: p', `labels: {a: ${'x'.repeat(64)}}`],
      `5:15: metadata.labels[a]: Invalid value: "${'x'.repeat(64)}": must be no more than 63 characters`,
    ],
    [
      'a label with an empty prefix',
      ['name: p', 'labels: {/a: x}'],
      '5:16: metadata.labels[/a]: Invalid value: "/a": prefix part must be non-empty',
    ],
  ])('%s', (_what, metadata, expected) => {
    if (expected === undefined)
      expect(problems(pod([], [], metadata)).join('\n')).toContain('name part must be non-empty');
    else expect(problems(pod([], [], metadata))).toEqual([expected]);
  });

  test.each(['soon', '0s', '-1s', ''])('a limit of hooks that is none: %j', (limit) => {
    const lines = ['name: p', `annotations: {minirt.dev/hook-timeout: ${JSON.stringify(limit)}}`];
    const why = 'must be a duration above zero, for example 10s or 1m30s';
    expect(problems(pod([], [], lines))).toEqual([
      `5:42: metadata.annotations[minirt.dev/hook-timeout]: Invalid value: ${JSON.stringify(limit)}: ${why}`,
    ]);
  });

  test.each([
    ['fast', 'must be a quantity of bits per second, for example 10M'],
    ['999', 'resource is unreasonably small (< 1kbit)'],
    ['2E', 'resource is unreasonably large (> 1Pbit)'],
  ])('a bandwidth that is none: %s', (rate, why) => {
    const lines = ['name: p', `annotations: {kubernetes.io/egress-bandwidth: "${rate}"}`];
    expect(problems(pod([], [], lines))).toEqual([
      expect.stringContaining(`kubernetes.io/egress-bandwidth]: Invalid value: "${rate}": ${why}`) as string,
    ]);
  });

  test('annotations that are too long together', () => {
    const lines = ['name: p', `annotations: {a: ${'x'.repeat(300_000)}}`];
    expect(problems(pod([], [], lines))).toEqual([
      '5:16: metadata.annotations: Too long: may not be more than 262144 bytes',
    ]);
  });

  test('a name that is long and wrong is found at once, not after a billion steps', () => {
    const started = performance.now();
    expect(problems(pod([], [], [`name: ${'a-'.repeat(50_000)}`])).length).toBeGreaterThan(0);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});
