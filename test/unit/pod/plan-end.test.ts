import { describe, expect, test } from 'vitest';
import type { ContainerRecord, PodRecord } from '../../../src/pod/record.ts';
import {
  T,
  at,
  creating,
  exited,
  over,
  planned,
  post,
  pre,
  running,
  starting,
  stopping,
  two,
  wall,
  wish,
} from '../../support/records.ts';

describe('a pod that is asked to end', () => {
  test.each<[string, readonly Partial<ContainerRecord>[], Partial<PodRecord>, number, readonly string[]]>([
    ['starts nothing', [{}, {}], {}, 0, ['teardown']],
    ['needs no sandbox', [{}, {}], { sandbox: { phase: 'absent' } }, 0, ['ended!']],
    ['waits for the sandbox that is being made', [{}, {}], { sandbox: { phase: 'making' } }, 0, ['sandbox']],
    ['stops all that runs', [{ state: running }, { state: running }], {}, 0, ['a stop!', 'b stop!']],
    ['waits for a postStart', [{ state: starting, hooks: post }], {}, 0, ['hook a i postStart', 'wake 10']],
    [
      'ends a postStart when the grace period does',
      [{ state: starting, hooks: post }],
      {},
      10,
      ['hook a i postStart', 'endHook a i postStart grace'],
    ],
    ['waits for preStop', [{ state: stopping(), hooks: pre }], {}, 9.9, ['hook a i preStop', 'wake 10']],
    ['signals when preStop took all', [{ state: stopping(), hooks: pre }], {}, 10, ['hook a i preStop', 'signal a i']],
    ['signals when preStop is over', [{ state: stopping(), hooks: { ...pre, preStop: over } }], {}, 1, ['signal a i']],
    ['signals once', [{ state: stopping({ signaled: { at: T, killAt: at(10) } }) }], {}, 1, []],
    [
      'brings SIGKILL forward when asked again',
      [{ state: stopping({ signaled: { at: T, killAt: at(10) } }) }],
      { termination: wish({ killBy: at(4) }) },
      1,
      [`hasten a i ${at(4)}`],
    ],
    [
      'brings SIGKILL forward for a stop that began before',
      [
        {
          state: stopping({
            since: at(-5),
            budget: 30,
            because: 'postStart',
            signaled: { at: at(-5), killAt: at(25) },
          }),
        },
      ],
      {},
      1,
      [`hasten a i ${at(10)}`],
    ],
    [
      'never brings it closer than two seconds to the signal',
      [{ state: stopping({ signaled: { at: at(3), killAt: at(10) } }) }],
      { termination: wish({ killBy: at(4) }) },
      3,
      [`hasten a i ${at(5)}`],
    ],
    [
      'kills everything at once when that is wanted',
      [{ state: running }, { state: starting, hooks: post }],
      { termination: wish({ now: true }) },
      0,
      ['a stop!', 'kill a i', 'hook b i postStart', 'kill b i'],
    ],
    ['waits for an instance that is being made', [{ state: creating }, { state: exited(0) }], {}, 0, ['start a']],
    ['waits for a hook whose container is gone', [{ state: exited(0), hooks: pre }, {}], {}, 0, ['hook a i preStop']],
    ['does not restart', [{ state: exited(1) }, { state: exited(1) }], {}, 0, ['teardown']],
  ])('%s', (_, containers, changes, now, expected) => {
    const seen = planned(
      two,
      [{ state: exited(0) }, { state: exited(0) }].map((one, index) => containers[index] ?? one),
      {
        termination: wish(),
        ...changes,
      },
      now,
    );
    expect(seen).toEqual(expected);
  });

  test('plans nothing once it is over', () => {
    expect(planned({}, [], { ended: { phase: 'Failed', wall } })).toEqual([]);
  });
});
