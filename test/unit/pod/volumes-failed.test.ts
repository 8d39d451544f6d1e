import { expect, test } from 'vitest';
import { seconds } from '../../../src/base/clock.ts';
import { mountBackoff } from '../../../src/pod/restart.ts';
import { decodeRecord, encodeRecord } from '../../../src/pod/record.ts';
import { stepPod } from '../../../src/pod/step.ts';
import { aPod, aRecord, deepFreeze } from '../../support/pods.ts';
import { at, wall } from '../../support/records.ts';

const failures = [{ volume: 'v', message: 'configmap "x" not found' }];

test('volumes that fail are tried again after half a second, then after twice as long each time', () => {
  const pod = deepFreeze(aPod());
  let record = deepFreeze(aRecord(pod));
  const waits: unknown[] = [];
  for (let second = 0; second < 10; second++) {
    const moment = { at: at(second), wall };
    record = stepPod(pod, record, { kind: 'sandboxBegun' }, moment).record;
    record = decodeRecord(encodeRecord(record));
    const { record: next, notes } = stepPod(pod, record, { kind: 'volumesFailed', failures }, moment);
    expect(notes).toEqual([
      {
        kind: 'event',
        type: 'Warning',
        reason: 'FailedMount',
        message: 'MountVolume.SetUp failed for volume "v" : configmap "x" not found',
      },
    ]);
    waits.push('retryAt' in next.sandbox ? Number(next.sandbox.retryAt - at(second)) / 1e9 : undefined);
    record = next;
  }
  expect(waits).toEqual([0.5, 1, 2, 4, 8, 16, 32, 64, 122, 122]);
  expect(mountBackoff(seconds(122))).toBe(seconds(122));
});

test('a sandbox that fails after its volumes were there begins their back-off anew', () => {
  const pod = deepFreeze(aPod());
  const moment = { at: at(0), wall };
  let record = aRecord(pod, { sandbox: { phase: 'making', waited: seconds(8) } });
  record = stepPod(pod, record, { kind: 'sandboxFailed', message: 'no', retryAt: at(10) }, moment).record;
  record = stepPod(pod, record, { kind: 'sandboxBegun' }, moment).record;
  expect(record.sandbox).toEqual({ phase: 'making' });
});
