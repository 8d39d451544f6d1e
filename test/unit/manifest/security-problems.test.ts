import { describe, expect, test } from 'vitest';
import { parseManifest } from '../../../src/manifest/parse.ts';
import { podWith } from './sketch.ts';

function said(line: string, podLine = ''): readonly string[] {
  const { problems } = parseManifest(podWith([line]).concat(podLine), { file: 'p.yaml', validate: 'strict' });
  return problems.map(
    ({ path, message }) => `${path.replace(/^spec\.(containers\[0\]\.)?securityContext\.?/, '')}: ${message}`,
  );
}

const ids = 'must be between 0 and 2147483647, inclusive';

describe('a security context', () => {
  test.each<[string, readonly string[]]>([
    ['{runAsUser: 0, runAsGroup: 2147483647, runAsNonRoot: true}', []],
    ['{runAsUser: -1}', [`runAsUser: Invalid value: -1: ${ids}`]],
    ['{runAsGroup: 2147483648}', [`runAsGroup: Invalid value: 2147483648: ${ids}`]],
    ['{runAsUser: root}', ['runAsUser: Invalid value: "string": must be of type integer']],
    ['{capabilities: {add: [NET_ADMIN, cap_sys_time], drop: [ALL]}}', []],
    [
      '{capabilities: {drop: [NETRAW]}}',
      ['capabilities.drop[0]: Invalid value: "NETRAW": not a capability of Linux; did you mean "NET_RAW"?'],
    ],
    [
      '{privileged: true, allowPrivilegeEscalation: false}',
      [': Invalid value: "": cannot set `allowPrivilegeEscalation` to false and `privileged` to true'],
    ],
    [
      '{allowPrivilegeEscalation: false, capabilities: {add: [CAP_SYS_ADMIN]}}',
      [': Invalid value: "": cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN'],
    ],
    ['{allowPrivilegeEscalation: false, capabilities: {add: [SYS_ADMIN]}}', []],
    ['{procMount: Unmasked}', ['procMount: Invalid value: "Unmasked": `hostUsers` must be false to use `Unmasked`']],
  ])('%s', (context, expected) => {
    expect(said(`securityContext: ${context}`)).toEqual(expected.map((one) => expect.stringContaining(one) as string));
  });

  test('shares the processes of the pod or those of the host', () => {
    expect(said('tty: false', '  hostPID: true\n  shareProcessNamespace: true\n')).toEqual([
      'spec.shareProcessNamespace: Invalid value: true: ShareProcessNamespace and HostPID cannot both be enabled',
    ]);
  });

  test('in a user namespace has a /proc of its own, and nothing of the host', () => {
    expect(said('securityContext: {procMount: Unmasked}', '  hostUsers: false\n')).toEqual([]);
    expect(said('tty: false', '  hostUsers: false\n  hostPID: true\n  hostIPC: true\n  hostNetwork: true\n')).toEqual(
      ['hostPID', 'hostIPC', 'hostNetwork'].map((field) => `spec.${field}: Forbidden: when \`hostUsers\` is false`),
    );
    const mount = '{name: v, mountPath: /v, mountPropagation: Bidirectional}';
    const { problems } = parseManifest(
      podWith(['securityContext: {privileged: true}', `volumeMounts: [${mount}]`]).concat(
        '  hostUsers: false\n  volumes: [{name: v, emptyDir: {}}]\n',
      ),
      { file: 'p.yaml', validate: 'strict' },
    );
    expect(problems.map(({ path, message }) => `${path}: ${message}`)).toEqual([
      'spec.containers[0].volumeMounts[0].mountPropagation: not supported: Bidirectional with `hostUsers: false`',
    ]);
  });

  test.each<[string, readonly string[]]>([
    [
      '{fsGroup: 5, fsGroupChangePolicy: OnRootMismatch, supplementalGroups: [1, 2], supplementalGroupsPolicy: Strict}',
      [],
    ],
    [
      '{fsGroup: -5, supplementalGroups: [1, -2]}',
      [`fsGroup: Invalid value: -5: ${ids}`, `supplementalGroups[1]: Invalid value: -2: ${ids}`],
    ],
    [
      '{fsGroupChangePolicy: Never}',
      ['fsGroupChangePolicy: Unsupported value: "Never": supported values: "Always", "OnRootMismatch"'],
    ],
  ])('of a pod: %s', (context, expected) => {
    expect(said('tty: false', `  securityContext: ${context}\n`)).toEqual(
      expected.map((one) => expect.stringContaining(one) as string),
    );
  });
});
