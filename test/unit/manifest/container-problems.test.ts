import { describe, expect, test } from 'vitest';
import { C, ENV, pod, problems } from './sketch.ts';

describe('a field of a container', () => {
  test.each([
    [
      'is unknown, and the nearest is named',
      'comand: [x]',
      `9:5: ${C}.comand: unknown field "comand"; did you mean "command"?`,
    ],
    ['is unknown, and nothing is near', 'quux: 1', `9:5: ${C}.quux: unknown field "quux"`],
    ['is a word of JavaScript', 'constructor: 1', `9:5: ${C}.constructor: unknown field "constructor"`],
    ['is another such word', '__proto__: {}', `9:5: ${C}.__proto__: unknown field "__proto__"`],
    [
      'has the wrong case',
      'workingdir: /',
      `9:5: ${C}.workingdir: unknown field "workingdir"; did you mean "workingDir"?`,
    ],
    [
      'is a string where a list is wanted',
      'command: sh',
      `9:14: ${C}.command: Invalid value: "string": must be of type array`,
    ],
    [
      'is a number in a list of strings',
      'args: [1]',
      `9:12: ${C}.args[0]: Invalid value: "integer": must be of type string; put it in quotes`,
    ],
    [
      'is nothing in a list of strings',
      'args: [~]',
      `9:12: ${C}.args[0]: Invalid value: "null": must be of type string`,
    ],
    [
      'is a number where env wants text',
      'env: [{name: A, value: 5}]',
      `9:28: ${C}.env[0].value: Invalid value: "integer": must be of type string; put it in quotes`,
    ],
    [
      'is a yes where env wants text',
      'env: [{name: A, value: yes}]',
      `9:28: ${C}.env[0].value: Invalid value: "boolean": must be of type string; put it in quotes`,
    ],
    [
      'is text where a boolean is wanted',
      'tty: "true"',
      `9:10: ${C}.tty: Invalid value: "string": must be of type boolean`,
    ],
    [
      'is a fraction of a port',
      'ports: [{containerPort: 80.5}]',
      `9:29: ${C}.ports[0].containerPort: Invalid value: "number": must be of type integer`,
    ],
    [
      'is too large for its type',
      'ports: [{containerPort: 80000000000}]',
      `9:29: ${C}.ports[0].containerPort: Invalid value: 80000000000: must fit into int32`,
    ],
    [
      'is no port',
      'ports: [{containerPort: 70000}]',
      `9:29: ${C}.ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive`,
    ],
    ['is a port without a number', 'ports: [{name: a}]', `9:13: ${C}.ports[0].containerPort: Required value`],
    [
      'is a protocol nobody speaks',
      'ports: [{containerPort: 1, protocol: X}]',
      `9:42: ${C}.ports[0].protocol: Unsupported value: "X": supported values: "SCTP", "TCP", "UDP"`,
    ],
    [
      'is a policy nobody has',
      'imagePullPolicy: Sometimes',
      `9:22: ${C}.imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never"`,
    ],
    ['is an env name with =', 'env: [{name: "A=B"}]', `9:18: ${C}.env[0].name: Invalid value: "A=B": ${ENV}`],
    ['is an env name with ü', 'env: [{name: ü}]', `9:18: ${C}.env[0].name: Invalid value: "ü": ${ENV}`],
    ['is env without a name', 'env: [{value: x}]', `9:11: ${C}.env[0].name: Required value`],
    [
      'is a hook without a handler',
      'lifecycle: {preStop: {}}',
      `9:26: ${C}.lifecycle.preStop: Required value: must specify a handler type`,
    ],
    [
      'is a hook without a command',
      'lifecycle: {preStop: {exec: {}}}',
      `9:33: ${C}.lifecycle.preStop.exec.command: Required value`,
    ],
    [
      'asks for a volume',
      'volumeMounts: [{name: a, mountPath: /a}]',
      `9:27: ${C}.volumeMounts[0].name: Not found: "a"`,
    ],
    [
      'asks for a block device',
      'volumeDevices: [{name: a, devicePath: /a}]',
      `9:5: ${C}.volumeDevices: Forbidden: block devices come from persistent volumes, which need a cluster`,
    ],
    [
      'asks for a port that no host has',
      'ports: [{containerPort: 1, hostPort: 70000}]',
      `9:42: ${C}.ports[0].hostPort: Invalid value: 70000: must be between 1 and 65535, inclusive`,
    ],
  ])('%s', (_what, line, expected) => {
    expect(problems(pod([line]))).toEqual([expected]);
  });

  test('of the wrong type is one more problem of a field that is not built yet', () => {
    expect(problems(pod([], ['securityContext: {seLinuxOptions: {level: 5}}']))).toEqual([
      '9:21: spec.securityContext.seLinuxOptions: not yet supported',
      '9:45: spec.securityContext.seLinuxOptions.level: Invalid value: "integer": must be of type string; put it in quotes',
    ]);
  });

  test.each([
    ['has upper case letters', 'Web', 'must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)'],
    ['has no letter', '"80"', 'must contain at least one letter (a-z)'],
    ['has two hyphens', 'a--b', 'must not contain consecutive hyphens'],
    ['begins with a hyphen', '-ab', 'must not begin or end with a hyphen'],
    ['is too long', 'abcdefghijklmnop', 'must be no more than 15 characters'],
  ])('is a port whose name %s', (_what, name, message) => {
    const [first] = problems(pod([`ports: [{containerPort: 1, name: ${name}}]`]));
    expect(first).toContain(`${C}.ports[0].name: Invalid value: "${name.replaceAll('"', '')}": `);
    expect(problems(pod([`ports: [{containerPort: 1, name: ${name}}]`])).join('\n')).toContain(message);
  });
});

describe('several handlers in one hook', () => {
  test('are forbidden from the second on', () => {
    expect(problems(pod(['lifecycle: {postStart: {sleep: {seconds: 1}, exec: {command: [x]}}}']))).toEqual([
      `9:36: ${C}.lifecycle.postStart.sleep: Forbidden: may not specify more than 1 handler type`,
    ]);
  });
});
