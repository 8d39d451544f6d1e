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

describe('sysctls', () => {
  test.each<[string, string, readonly string[]]>([
    ['[{name: net.ipv4.tcp_syncookies, value: "0"}, {name: kernel/shm_rmid_forced, value: "1"}]', '', []],
    // A kubelet takes them, and rejects the pod.
    ['[{name: net.core.somaxconn, value: "1024"}]', '', []],
    ['[{value: "1"}]', '', ['[0].name: Required value']],
    ['[{name: net.a, value: "1"}, {name: net.a, value: "2"}]', '', ['[1].name: Duplicate value: "net.a"']],
    [
      '[{name: ../core_pattern, value: "1"}]',
      '',
      ['[0].name: Invalid value: "../core_pattern": must have at most 253 characters'],
    ],
    ['[{name: net.a, value: "1\\n+"}]', '', ['[0].value: Invalid value: "1\\n+": must be one line']],
    [
      '[{name: net.a, value: "1"}]',
      '  hostNetwork: true\n',
      [`[0].name: Invalid value: "net.a": may not be set when 'hostNetwork' is set to true`],
    ],
    [
      '[{name: kernel.shm_rmid_forced, value: "1"}]',
      '  hostIPC: true\n',
      [`[0].name: Invalid value: "kernel.shm_rmid_forced": may not be set when 'hostIPC' is set to true`],
    ],
  ])('%s %s', (sysctls, more, expected) => {
    expect(said('tty: false', `  securityContext: {sysctls: ${sysctls}}\n${more}`)).toEqual(
      expected.map((one) => expect.stringContaining(`sysctls${one}`) as string),
    );
  });
});

test.each<[string, readonly string[]]>([
  ['{type: RuntimeDefault}', []],
  ['{type: Localhost, localhostProfile: mine}', []],
  ['{localhostProfile: mine}', ['type: Required value', 'localhostProfile: Invalid value: "mine": may only be set']],
  ['{type: Localhost}', ['localhostProfile: Required value: must be set when AppArmor type is Localhost']],
  ['{type: Localhost, localhostProfile: " x"}', ['localhostProfile: Invalid value: " x": must not be padded']],
  ['{type: Never}', ['type: Unsupported value: "Never"']],
])('appArmorProfile: %s', (profile, expected) => {
  expect(said(`securityContext: {appArmorProfile: ${profile}}`)).toEqual(
    expected.map((one) => expect.stringContaining(`appArmorProfile.${one}`) as string),
  );
});
