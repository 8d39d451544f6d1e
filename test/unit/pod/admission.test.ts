import { expect, test } from 'vitest';
import { buildPodSecurity } from '../../../src/manifest/security.ts';
import type { AppArmor } from '../../../src/manifest/pod.ts';
import { rejection } from '../../../src/pod/admission.ts';
import { podStatus } from '../../../src/pod/status.ts';
import { newRecord } from '../../../src/pod/record.ts';
import { stepPod } from '../../../src/pod/step.ts';
import { aPod } from '../../support/pods.ts';

test.each([
  ['net.ipv4.tcp_syncookies', undefined],
  ['net/ipv4/tcp_syncookies', undefined],
  ['kernel.shm_rmid_forced', undefined],
  ['net.core.somaxconn', 'forbidden sysctl: "net.core.somaxconn" not allowlisted'],
  ['kernel.panic', 'forbidden sysctl: "kernel.panic" not allowlisted'],
  ['kernel.core_pattern', 'forbidden sysctl: "kernel.core_pattern" not allowlisted'],
])('a pod that sets %s', (name, message) => {
  const security = buildPodSecurity({ sysctls: [{ name, value: '1' }] });
  const expected = message === undefined ? undefined : { reason: 'SysctlForbidden', message };
  expect(rejection({ ...aPod(), security }, { appArmor: false })).toEqual(expected);
});

test.each<[AppArmor, boolean]>([
  [{ kind: 'runtimeDefault', demanded: false }, false],
  [{ kind: 'runtimeDefault', demanded: true }, true],
  [{ kind: 'localhost', profile: 'x', demanded: true }, true],
  [{ kind: 'unconfined', demanded: false }, false],
])('a pod with AppArmor %j on a host without it', (appArmor, isRejected) => {
  const pod = aPod({ containers: [{ appArmor }] });
  expect(rejection(pod, { appArmor: true })).toBeUndefined();
  expect(rejection(pod, { appArmor: false }) !== undefined).toBe(isRejected);
});

test('fails with the reason, and stays', () => {
  const pod = aPod();
  const record = newRecord(pod, { uid: 'u', bootId: 'b', createdAt: '2026-01-01T00:00:00Z' });
  const why = { reason: 'SysctlForbidden', message: 'forbidden sysctl: "x" not allowlisted' };
  const moment = { at: 0n, wall: '2026-01-01T00:00:00Z' };
  const rejected = stepPod(pod, record, { kind: 'reject', why }, moment);
  expect(rejected.notes[0]).toEqual({ kind: 'event', type: 'Warning', ...why });
  const { record: ended } = stepPod(pod, rejected.record, { kind: 'ended' }, moment);
  const status = podStatus(pod, ended);
  expect(status.containerStatuses).toBeUndefined();
  expect(status.conditions?.map(({ type }) => type)).toEqual(['PodScheduled']);
  expect(status).toMatchObject({
    phase: 'Failed',
    reason: 'SysctlForbidden',
    message: 'Pod was rejected: forbidden sysctl: "x" not allowlisted',
  });
});
