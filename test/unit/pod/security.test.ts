import { describe, expect, test } from 'vitest';
import { allCapabilities, capabilitiesIn, defaultCapabilities } from '../../../src/container/capabilities.ts';
import { buildPodSecurity, buildSecurity } from '../../../src/manifest/security.ts';
import type { Container, Pod } from '../../../src/manifest/pod.ts';
import { givenCapabilities } from '../../../src/pod/act/resources.ts';
import { capabilitiesFor, credentialsFor, verifyNonRoot } from '../../../src/pod/security.ts';
import { ownCapabilities } from '../../../src/sys/capabilities.ts';
import { aContainer, aPod } from '../../support/pods.ts';

type Contexts = Parameters<typeof buildSecurity>;

const with_ = (...[own, pod]: Contexts): readonly [Pod, Container] => {
  const container = aContainer({ security: buildSecurity(own, pod) });
  return [{ ...aPod(), security: buildPodSecurity(pod), containers: [container] }, container];
};
const passwd = 'root:x:0:0::/root:\nnobody:x:65534:65534::/:\napp:x:1000:1001::/home/app:\nown:x:5:7::/:\n';
const group = 'staff:x:50:app\naudio:x:63:app,nobody\nown:x:7:own\n';

describe('who a process is', () => {
  test.each<[string, string, Contexts, readonly [number, number, readonly number[], string]]>([
    ["the image's user", 'app', [], [1000, 1001, [1001, 50, 63], '/home/app']],
    ["the image's user, whatever group it says", 'app:50', [], [1000, 1001, [1001, 50, 63], '/home/app']],
    ['a user of its own', 'app', [{ runAsUser: 65534 }], [65534, 65534, [65534, 63], '/']],
    ['a user that the image does not know', '', [{ runAsUser: 7 }], [7, 0, [0], '/']],
    ['a group of its own', 'app', [{ runAsGroup: 9 }], [1000, 9, [9, 50, 63], '/home/app']],
    ['a group of its own, beside all that list the user', 'own', [{ runAsGroup: 9 }], [5, 9, [9, 7], '/']],
    ['both', '', [{ runAsUser: 1000, runAsGroup: 2000 }], [1000, 2000, [2000, 50, 63], '/home/app']],
    ["the pod's", '', [{}, { runAsUser: 1000, runAsGroup: 5 }], [1000, 5, [5, 50, 63], '/home/app']],
    ["its own before the pod's", '', [{ runAsUser: 0 }, { runAsUser: 1000 }], [0, 0, [0], '/root']],
    [
      "with groups of the pod's",
      '',
      [{}, { runAsUser: 7, supplementalGroups: [4000, 0], fsGroup: 3000 }],
      [7, 0, [0, 4000, 3000], '/'],
    ],
  ])('%s', (_, user, contexts, [uid, gid, groups, home]) => {
    const [pod, container] = with_(...contexts);
    expect(credentialsFor(pod, container, { user, passwd, group })).toEqual({ uid, gid, groups, home });
  });

  test('is not what /etc/group says where the policy is Strict', () => {
    const strict = { runAsUser: 1000, supplementalGroupsPolicy: 'Strict', supplementalGroups: [9] };
    const [pod, container] = with_({}, strict);
    expect(credentialsFor(pod, container, { user: '', passwd, group }).groups).toEqual([1001, 9]);
  });
});

describe('who must not be root', () => {
  test.each<[string, Contexts, string | undefined]>([
    ['', [], undefined],
    ['', [{ runAsNonRoot: true }], 'container has runAsNonRoot and image will run as root'],
    ['0:5', [{}, { runAsNonRoot: true }], 'container has runAsNonRoot and image will run as root'],
    ['', [{ runAsNonRoot: false }, { runAsNonRoot: true }], undefined],
    ['', [{ runAsNonRoot: true, runAsUser: 5 }], undefined],
    ['', [{ runAsUser: 0 }, { runAsNonRoot: true }], "container's runAsUser breaks non-root policy"],
    ['1000:0', [{ runAsNonRoot: true }], undefined],
    [
      'app',
      [{ runAsNonRoot: true }],
      'container has runAsNonRoot and image has non-numeric user (app), cannot verify user is non-root',
    ],
  ])('image %j, %j', (user, contexts, why) => {
    const [pod, container] = with_(...contexts);
    const verify = (): void => {
      verifyNonRoot(pod, container, { user }, 'u-1');
    };
    if (why === undefined) expect(verify).not.toThrow();
    else {
      const message = `${why} (pod: "p_default(u-1)", container: c)`;
      expect(verify).toThrow(expect.objectContaining({ code: 'config.refused', message }));
    }
  });
});

describe('capabilities', () => {
  const all = allCapabilities;
  const of = (security: Contexts[0], host = all): readonly string[] =>
    capabilitiesFor({ security: buildSecurity(security) }, host);
  const sorted = (names: readonly string[]): readonly string[] => all.filter((name) => names.includes(name));

  test.each<[Contexts[0], readonly string[]]>([
    [{}, defaultCapabilities],
    [{ capabilities: { drop: ['ALL'] } }, []],
    [{ capabilities: { drop: ['all'], add: ['NET_BIND_SERVICE'] } }, ['CAP_NET_BIND_SERVICE']],
    [{ capabilities: { drop: ['MKNOD', 'cap_net_raw'] } }, defaultCapabilities.filter((n) => !/MKNOD|NET_RAW/.test(n))],
    [{ capabilities: { add: ['ALL'] } }, all],
    [{ capabilities: { add: ['ALL'], drop: ['SYS_ADMIN'] } }, all.filter((name) => name !== 'CAP_SYS_ADMIN')],
    [{ capabilities: { add: ['ALL'], drop: ['ALL'] } }, []],
    [{ capabilities: { add: ['all', 'SYS_TIME'], drop: ['ALL'] } }, ['CAP_SYS_TIME']],
    [{ capabilities: { add: ['SYS_TIME'], drop: ['SYS_TIME'] } }, defaultCapabilities],
    [{ privileged: true, capabilities: { drop: ['ALL'] } }, all],
  ])('%j', (security, expected) => {
    expect(of(security)).toEqual(sorted(expected));
  });

  test('are never more than root has', () => {
    const few = all.filter((name) => name !== 'CAP_SYS_RESOURCE' && name !== 'CAP_KILL');
    expect(of({ privileged: true }, few)).toEqual(few);
    expect(of({ capabilities: { add: ['ALL'] } }, few)).toEqual(few);
    expect(of({}, few)).not.toContain('CAP_KILL');
    expect(() => of({ capabilities: { add: ['SYS_RESOURCE'] } }, few)).toThrow('add capability: CAP_SYS_RESOURCE');
  });

  test('lack CAP_MKNOD where there are no device rules', () => {
    const facts = { mode: 'v1', root: '', kill: 'freezer', systemd: false, controllers: [] } as const;
    const on = (devices: 'bpf' | 'none'): readonly string[] =>
      givenCapabilities({ ownUsers: false }, { describe: () => ({ ...facts, devices }) }, (1n << 41n) - 1n);
    expect(on('bpf')).toEqual(all);
    expect(on('none')).toEqual(all.filter((name) => name !== 'CAP_MKNOD'));
  });

  test('are read from the mask that the kernel tells', () => {
    expect(capabilitiesIn(ownCapabilities('CapInh:\t0\nCapPrm:\t0000000000000401\n'))).toEqual([
      'CAP_CHOWN',
      'CAP_NET_BIND_SERVICE',
    ]);
  });
});
