import fc from 'fast-check';
import { expect, test } from 'vitest';
import { seconds } from '../../../src/base/clock.ts';
import type { ContainerEvent } from '../../../src/pod/lifecycle.ts';
import { plan } from '../../../src/pod/plan.ts';
import { type PodEvent, stepPod } from '../../../src/pod/step.ts';
import { aPod, aRecord, deepFreeze, shell } from '../../support/pods.ts';

const at = (offset: number): bigint => 1_000_000_000_000n + seconds(offset);
const wall = (offset: number): string => new Date(Date.parse('2026-01-01T00:00:00Z') + offset * 1000).toISOString();

const id = fc.constantFrom('i1', 'i2');
const hook = fc.constantFrom('postStart' as const, 'preStop' as const);
const container: fc.Arbitrary<ContainerEvent> = fc.oneof(
  id.map((one) => ({ kind: 'create' as const, id: one })),
  id.map((one) => ({ kind: 'created' as const, id: one, user: { uid: 0, gid: 0, groups: [0] } })),
  id.map((one) => ({ kind: 'started' as const, id: one, wall: wall(0) })),
  id.map((one) => ({ kind: 'startFailed' as const, id: one, message: '', wall: wall(0) })),
  fc.record({ id, hook, ok: fc.boolean(), byDeadline: fc.boolean() }).map((one) => ({
    kind: 'hookEnded' as const,
    message: '',
    detail: '',
    ...one,
  })),
  fc.constantFrom('terminated' as const, 'postStart' as const).map((because) => ({ kind: 'stop' as const, because })),
  fc.constant({ kind: 'backOff' as const, message: '', event: '' }),
  fc.constant({ kind: 'createFailed' as const, reason: '', message: '', retryAt: at(3), events: [] }),
  id.map((one) => ({ kind: 'signaled' as const, id: one, at: at(1), killAt: at(3) })),
  fc.tuple(id, fc.constantFrom(0, 1)).map(([one, code]) => ({
    kind: 'exited' as const,
    id: one,
    exit: { kind: 'exited' as const, code, wall: wall(5), mono: at(5), message: undefined },
  })),
);
const event: fc.Arbitrary<PodEvent> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.tuple(fc.constantFrom('a', 'b', 'nobody'), container).map(([name, one]) => ({
      kind: 'container' as const,
      name,
      event: one,
    })),
  },
  fc.constantFrom<PodEvent>(
    { kind: 'taken' },
    { kind: 'sandboxBegun' },
    { kind: 'sandboxReady', ip: '10.0.0.2' },
    { kind: 'sandboxFailed', message: 'm', retryAt: at(4) },
    { kind: 'volumesFailed', failures: [{ volume: 'v', message: 'm' }] },
    { kind: 'sandboxRemoved' },
    { kind: 'terminate', request: { grace: undefined, now: false, remove: true } },
    { kind: 'terminate', request: { grace: 0, now: true, remove: false } },
  ),
);

test('whatever is told in whatever order, nothing throws, an exit is final for its instance, and a plan is always at hand', () => {
  const pod = deepFreeze(
    aPod({
      containers: [
        { name: 'a', postStart: shell('post'), preStop: shell('pre') },
        { name: 'b', preStop: shell('x') },
      ],
    }),
  );
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), (events) => {
      let record = deepFreeze(aRecord(pod));
      events.forEach((one, index) => {
        const next = deepFreeze(stepPod(pod, record, one, { at: at(index), wall: wall(index) }).record);
        plan(pod, next, at(index));
        next.containers.forEach((now, place) => {
          const before = record.containers[place];
          if (before?.state.phase !== 'exited' || now.state.phase !== 'exited') return;
          expect(now.state.terminated).toEqual(before.state.terminated);
        });
        record = next;
      });
    }),
    { numRuns: 500 },
  );
});
