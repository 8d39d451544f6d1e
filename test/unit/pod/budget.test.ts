import { describe, expect, test } from 'vitest';
import { graceLeft, stopBudget } from '../../../src/pod/stop.ts';
import type { Because, Stopping, Termination } from '../../../src/pod/record.ts';
import { aContainer, aPod, aRecord } from '../../support/pods.ts';
import { aProbe, at, stopping, wish } from '../../support/records.ts';

test.each([
  ['all of it', 0, 10],
  ['less the whole seconds that passed', 2.5, 8],
  ['nothing when it is over', 60, 0],
])('a stopping container has %s left', (_, later, left) => {
  expect(graceLeft(stopping() as Stopping, at(later))).toBe(left);
});

describe('the budget of a stop', () => {
  const probed = aContainer({
    probes: {
      startup: aProbe({ terminationGracePeriodSeconds: 50 }),
      liveness: aProbe({ terminationGracePeriodSeconds: 3 }),
      readiness: undefined,
    },
  });

  test.each<[string, Because, Termination | undefined, number]>([
    ['is the liveness probe’s own', 'liveness', undefined, 3],
    ['is the startup probe’s own, also when that is longer than the pod’s', 'startup', undefined, 50],
    ['is the pod’s when postStart failed', 'postStart', undefined, 30],
    ['is the pod’s for a sidecar whose pod is done', 'completed', undefined, 30],
    ['is the deletion’s whatever a probe has', 'liveness', wish({ grace: 7 }), 7],
    ['is nothing when all containers are restarted', 'restartAll', undefined, 0],
  ])('%s', (_, because, termination, expected) => {
    const pod = aPod({ grace: 30 });
    const context = { pod, record: aRecord(pod, { termination }), spec: probed };
    expect(stopBudget(context, because, at(0))).toBe(expected);
  });

  test('is the pod’s when the probe has none', () => {
    const pod = aPod({ grace: 30 });
    const spec = aContainer({ probes: { startup: undefined, liveness: aProbe(), readiness: undefined } });
    expect(stopBudget({ pod, record: aRecord(pod), spec }, 'liveness', at(0))).toBe(30);
  });
});
