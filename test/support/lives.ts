import fc from 'fast-check';
import type { Probe, ProbeName, Role } from '../../src/manifest/pod.ts';
import { aPod, shell } from './pods.ts';
import type { ContainerScript, Happening, Outcome, Script } from './script.ts';

export const ms = (value: number): bigint => BigInt(value) * 1_000_000n;
const short = fc.nat({ max: 4_000 });
/** Around one second there is the most to get wrong. */
const time = fc.oneof(short, fc.nat({ max: 20_000 }), fc.constantFrom(0, 1, 999, 1000, 1001, 1999, 2000, 2001));
const code = fc.constantFrom(0, 0, 1, 3, 143);
const hook = fc.record({ takes: time, ok: fc.boolean() });

const outcomes = fc.array(
  fc.constantFrom('success' as const, 'success' as const, 'failure' as const, 'warning' as const, 'error' as const),
  { maxLength: 5 },
);

const container: fc.Arbitrary<ContainerScript> = fc.record({
  lives: fc.array(fc.record({ after: fc.option(fc.oneof(time, fc.constant(700_000)), { nil: undefined }), code }), {
    minLength: 1,
    maxLength: 3,
  }),
  onSignal: fc.oneof(fc.constant('deaf' as const), fc.record({ after: time, code })),
  postStart: fc.array(hook, { minLength: 1, maxLength: 2 }),
  preStop: hook,
  createFailures: fc.constantFrom(0, 0, 0, 1, 2),
  startFails: fc.array(fc.constantFrom(false, false, false, true), { maxLength: 3 }),
  probes: fc.record({ startup: outcomes, liveness: outcomes, readiness: outcomes }),
  probeTakes: fc.constantFrom(0, 0, 30, 2_500),
});

const request = fc.record({
  at: fc.oneof(time, fc.nat({ max: 60_000 })),
  request: fc.record({
    grace: fc.option(fc.integer({ min: -1, max: 20 }), { nil: undefined }),
    now: fc.constantFrom(false, false, false, true),
    remove: fc.boolean(),
  }),
});

const probe: fc.Arbitrary<Probe | undefined> = fc.option(
  fc.record({
    handler: fc.constant({ kind: 'exec' as const, command: ['true'] }),
    initialDelaySeconds: fc.constantFrom(0, 0, 1, 5),
    timeoutSeconds: fc.constant(1),
    periodSeconds: fc.constantFrom(1, 2, 7),
    successThreshold: fc.constantFrom(1, 1, 2),
    failureThreshold: fc.constantFrom(1, 3),
    terminationGracePeriodSeconds: fc.option(fc.integer({ min: 1, max: 8 }), { nil: undefined }),
  }),
  { nil: undefined, freq: 2 },
);
const probes: fc.Arbitrary<Record<ProbeName, Probe | undefined>> = fc.record({
  startup: probe,
  liveness: probe,
  readiness: probe,
});
const noProbes = { startup: undefined, liveness: undefined, readiness: undefined };

const policy = fc.constantFrom('Always' as const, 'OnFailure' as const, 'Never' as const);
const rule = fc.record({
  action: fc.constantFrom('Restart' as const, 'Restart' as const, 'RestartAllContainers' as const),
  operator: fc.constantFrom('In' as const, 'NotIn' as const),
  values: fc.array(code, { minLength: 1, maxLength: 2 }),
});
const own = fc.oneof(
  fc.constant({ restartPolicy: undefined, restartPolicyRules: [] }),
  fc.record({ restartPolicy: policy, restartPolicyRules: fc.array(rule, { maxLength: 2 }) }),
);

const UNTIL = 3_600_000;
/** A pod that is left alone is ended here at the latest; one with probes earlier, or it would be about them alone. */
const LAST_REQUEST = 1_800_000;
const LAST_REQUEST_OF_PROBED = 90_000;

const world = {
  sandboxFailures: fc.constantFrom(0, 0, 0, 1, 2),
  requests: fc.array(request, { maxLength: 4 }),
  delays: fc.array(fc.oneof(fc.constant(0), fc.nat({ max: 200 })), { minLength: 1, maxLength: 5 }),
  echoes: fc.array(fc.boolean(), { maxLength: 4 }),
  crashes: fc.oneof(fc.constant([]), fc.array(time, { maxLength: 3 })),
};

/** Pods of main containers with hooks, and nothing else. */
export const plainScript: fc.Arbitrary<Script> = fc
  .record({
    containers: fc.array(fc.tuple(container, fc.boolean(), fc.boolean()), { minLength: 1, maxLength: 3 }),
    restartPolicy: policy,
    grace: fc.nat({ max: 12 }),
    ...world,
  })
  .map(({ containers, restartPolicy, grace, requests, ...rest }) => ({
    ...rest,
    pod: aPod({
      restartPolicy,
      grace,
      containers: containers.map(([, postStart, preStop], index) => ({
        name: 'abc'.charAt(index),
        postStart: postStart ? shell('post') : undefined,
        preStop: preStop ? shell('pre') : undefined,
      })),
    }),
    containers: containers.map(([one]) => one),
    requests: [...requests, { at: LAST_REQUEST, request: { grace: undefined, now: false, remove: true } }],
    reload: false,
    until: UNTIL,
  }));

const member = fc.record({ script: container, postStart: fc.boolean(), preStop: fc.boolean(), probes, own });

/** Pods with everything: init containers, sidecars, probes, restart rules, a deadline. */
export const fullScript: fc.Arbitrary<Script> = fc
  .record({
    inits: fc.array(fc.tuple(member, fc.constantFrom<Role>('init', 'sidecar', 'sidecar')), { maxLength: 2 }),
    mains: fc.array(member, { minLength: 1, maxLength: 2 }),
    restartPolicy: policy,
    grace: fc.nat({ max: 12 }),
    hookTimeout: fc.option(fc.constantFrom(0.5, 1, 3), { nil: undefined, freq: 2 }),
    deadline: fc.option(fc.integer({ min: 1, max: 60 }), { nil: undefined, freq: 4 }),
    ...world,
  })
  .map(({ inits, mains, restartPolicy, grace, hookTimeout, deadline, requests, ...rest }) => {
    const all = [...inits, ...mains.map((one) => [one, 'main'] as const)];
    return {
      ...rest,
      pod: {
        ...aPod({
          restartPolicy,
          grace,
          ...(hookTimeout === undefined ? {} : { hookTimeout }),
          containers: all.map(([one, role], index) => ({
            name: 'abcd'.charAt(index),
            role,
            // What the manifest reader refuses of an init container is not there.
            ...(role === 'sidecar' ? { restartPolicy: 'Always' } : one.own),
            ...(role === 'init' && one.own.restartPolicy === 'Always' ? { restartPolicy: 'OnFailure' } : {}),
            postStart: one.postStart && role !== 'init' ? shell('post') : undefined,
            preStop: one.preStop && role !== 'init' ? shell('pre') : undefined,
            probes: role === 'init' ? noProbes : one.probes,
          })),
        }),
        activeDeadlineSeconds: deadline,
      },
      containers: all.map(([one]) => one.script),
      requests: [...requests, { at: LAST_REQUEST_OF_PROBED, request: { grace: undefined, now: false, remove: true } }],
      reload: false,
      until: UNTIL,
    };
  });

export interface Property {
  readonly what: string;
  readonly holds: (outcome: Outcome, script: Script) => void;
}

export type Kind<K extends Happening['kind']> = Extract<Happening, { kind: K }>;

export function of<K extends Happening['kind']>({ happenings }: Outcome, kind: K): readonly Kind<K>[] {
  return happenings.filter((one): one is Kind<K> => one.kind === kind);
}

/** Requests that the pod lived to see. */
export function requestsOf(outcome: Outcome): readonly Kind<'request'>[] {
  const end = outcome.happenings.findIndex((one) => one.kind === 'note' && one.note.kind === 'ended');
  return of({ ...outcome, happenings: outcome.happenings.slice(0, end < 0 ? undefined : end) }, 'request');
}

/** When the world's answers are slow, a rule about time may be off by that much. */
export function slack({ delays }: Script, answers: number): bigint {
  return ms(Math.max(...delays)) * BigInt(answers);
}
