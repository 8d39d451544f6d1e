import { describe, expect, test } from 'vitest';
import type { RestartPolicy, Role } from '../../../src/manifest/pod.ts';
import { isInitialized, isItsTurn, isWindingDown, startable } from '../../../src/pod/order.ts';
import type { ContainerRecord, ContainerState, PodRecord } from '../../../src/pod/record.ts';
import { type PodSketch, aPod, aRecord, deepFreeze, withContainer } from '../../support/pods.ts';
import {
  aProbe,
  creating,
  ended,
  exited,
  planned,
  running,
  starting,
  stopping,
  waiting,
  wish,
} from '../../support/records.ts';

const fresh: ContainerState = { phase: 'waiting', reason: 'PodInitializing' };

/** `i1:init s:sidecar m:main` */
function sketch(roles: string, restartPolicy: RestartPolicy = 'Always'): PodSketch {
  return {
    restartPolicy,
    containers: roles.split(' ').map((one) => {
      const [name = '', role = 'main'] = one.split(':');
      return { name, role: role as Role };
    }),
  };
}

function given(
  pod: PodSketch,
  states: readonly (ContainerState | Partial<ContainerRecord>)[],
  changes: Partial<PodRecord> = {},
) {
  const made = deepFreeze(aPod(pod));
  let record = aRecord(made, { sandbox: { phase: 'ready', ip: '10.0.0.2' }, ...changes });
  states.forEach((state, index) => {
    record = withContainer(record, 'phase' in state ? { state } : state, index);
  });
  return [made, deepFreeze(record)] as const;
}

describe('who may be started', () => {
  test.each<[string, string, readonly ContainerState[], string]>([
    ['first the first init container', 'a:init b:init m:main', [fresh, fresh, fresh], 'a'],
    ['the next only after that has succeeded', 'a:init b:init m:main', [exited(0), fresh, fresh], 'b'],
    ['the same again while it fails', 'a:init b:init m:main', [exited(2), fresh, fresh], 'a'],
    ['nobody else while one runs', 'a:init b:init m:main', [running, fresh, fresh], 'a'],
    ['the main ones after the last', 'a:init m:main n:main', [exited(0), fresh, fresh], 'm n'],
    [
      'after a sidecar that runs the next, and the sidecar again',
      'a:sidecar b:init m:main',
      [running, fresh, fresh],
      'a b',
    ],
    ['nothing after a sidecar whose postStart runs', 'a:sidecar b:init m:main', [starting, fresh, fresh], 'a'],
    ['a sidecar again that died beside the next one', 'a:sidecar b:init m:main', [exited(1), running, fresh], 'a b'],
    [
      'the main ones although a sidecar behind the last is down',
      'a:sidecar b:init m:main',
      [exited(1), exited(0), fresh],
      'a m',
    ],
    ['not the main ones while the last sidecar is down', 'a:init b:sidecar m:main', [exited(0), exited(1), fresh], 'b'],
    ['sidecars and main ones for ever after', 'a:init b:sidecar m:main', [exited(0), exited(1), exited(1)], 'b m'],
    ['never a finished init container again', 'a:init m:main', [exited(0), exited(1)], 'm'],
  ])('%s', (_, roles, states, expected) => {
    const [pod, record] = given(sketch(roles), states);
    expect(
      startable(pod, record)
        .map(({ spec }) => spec.name)
        .join(' '),
    ).toBe(expected);
  });

  test('a sidecar with a startup probe holds up the next until that has succeeded', () => {
    const verdict = (one: 'unknown' | 'success') => ({
      startup: { verdict: one, last: undefined, run: 0, nextAt: undefined },
    });
    const pod: PodSketch = {
      containers: [
        { name: 's', role: 'sidecar', probes: { startup: aProbe(), liveness: undefined, readiness: undefined } },
        { name: 'm' },
      ],
    };
    const before = given(pod, [{ state: running, probes: verdict('unknown') }]);
    const after = given(pod, [{ state: running, probes: verdict('success') }]);
    expect(startable(...before).map(({ spec }) => spec.name)).toEqual(['s']);
    expect(startable(...after).map(({ spec }) => spec.name)).toEqual(['s', 'm']);
  });
});

describe('an initialization is over', () => {
  test.each<[string, string, readonly ContainerState[], boolean]>([
    ['without init containers', 'm:main', [fresh], true],
    ['not before the init container ran', 'a:init m:main', [fresh, fresh], false],
    ['not while it runs', 'a:init m:main', [running, fresh], false],
    ['when it has succeeded', 'a:init m:main', [exited(0), fresh], true],
    ['not when it has failed', 'a:init m:main', [exited(1), fresh], false],
    ['when the sidecar runs', 'a:sidecar m:main', [running, fresh], true],
    ['and stays so when the sidecar dies later', 'a:sidecar m:main', [exited(1), running], true],
  ])('%s', (_, roles, states, expected) => {
    expect(isInitialized(...given(sketch(roles), states))).toBe(expected);
  });
});

describe('a pod winds down', () => {
  test.each<[string, RestartPolicy, string, readonly ContainerState[], boolean]>([
    ['not while a main container runs', 'Never', 's:sidecar m:main', [running, running], false],
    ['when the main containers are done', 'Never', 's:sidecar m:main', [running, exited(1)], true],
    ['not when they are started again', 'Always', 's:sidecar m:main', [running, exited(1)], false],
    ['when they are done as OnFailure sees it', 'OnFailure', 's:sidecar m:main', [running, exited(0)], true],
    ['when an init container failed for good', 'Never', 's:sidecar a:init m:main', [running, exited(1), fresh], true],
    ['not when it is tried again', 'OnFailure', 's:sidecar a:init m:main', [running, exited(1), fresh], false],
    ['not with the end of an init container', 'Never', 'a:init m:main', [exited(0), fresh], false],
  ])('%s', (_, policy, roles, states, expected) => {
    expect(isWindingDown(...given(sketch(roles, policy), states))).toBe(expected);
  });

  test('when somebody asks for it', () => {
    expect(isWindingDown(...given(sketch('m:main'), [running], { termination: wish() }))).toBe(true);
  });

  test('and stops its sidecars then, whatever their policy', () => {
    const states = [{ state: running }, { state: exited(0) }];
    expect(planned(sketch('s:sidecar m:main', 'Never'), states)).toEqual(['s stop!']);
    expect(planned(sketch('s:sidecar m:main', 'Never'), [{ state: exited(1) }, { state: exited(0) }])).toEqual([
      'teardown',
    ]);
  });

  test('without starting what waits behind a failed init container', () => {
    expect(planned(sketch('a:init m:main', 'Never'), [{ state: exited(1) }, { state: fresh }])).toEqual(['teardown']);
  });
});

describe('the stop signal', () => {
  test.each<[string, string, readonly ContainerState[], string, boolean]>([
    ['of a main container waits for nobody', 's:sidecar m:main', [stopping(), stopping()], 'm', true],
    ['of a sidecar waits for the main ones', 's:sidecar m:main', [stopping(), stopping()], 's', false],
    ['of a sidecar comes when they are gone', 's:sidecar m:main', [stopping(), exited(0)], 's', true],
    [
      'of a sidecar waits for later sidecars',
      'a:sidecar b:sidecar m:main',
      [stopping(), stopping(), exited(0)],
      'a',
      false,
    ],
    [
      'of the last sidecar does not wait for the first',
      'a:sidecar b:sidecar m:main',
      [stopping(), stopping(), exited(0)],
      'b',
      true,
    ],
    [
      'of a sidecar does not wait for an init container',
      'a:sidecar i:init m:main',
      [stopping(), stopping(), fresh],
      'a',
      true,
    ],
    ['of an init container waits for nobody', 'i:init m:main', [stopping(), fresh], 'i', true],
    ['of a sidecar waits for a container that is being made', 's:sidecar m:main', [stopping(), creating], 's', false],
    ['of a sidecar does not wait for what was never made', 's:sidecar m:main', [stopping(), waiting()], 's', true],
  ])('%s', (_, roles, states, name, expected) => {
    expect(isItsTurn(...given(sketch(roles), states), name)).toBe(expected);
  });

  test('of a sidecar comes with the end of the grace period at the latest', () => {
    const states = [{ state: stopping() }, { state: stopping({ signaled: { at: 0n, killAt: 0n } }) }];
    const termination = wish();
    expect(planned(sketch('s:sidecar m:main'), states, { termination }, 9)).toEqual(['wake 10']);
    expect(planned(sketch('s:sidecar m:main'), states, { termination }, 10)).toEqual(['signal s i']);
  });

  test('of a sidecar that fails its own probe waits for nobody', () => {
    const states = [{ state: stopping({ because: 'liveness' }) }, { state: running }];
    expect(planned(sketch('s:sidecar m:main'), states)).toEqual(['signal s i']);
  });
});

test('one that waited for nothing but its last end keeps it', () => {
  const [pod, record] = given(sketch('m:main'), [{ state: waiting(), last: ended(3) }]);
  expect(startable(pod, record)).toHaveLength(1);
});
