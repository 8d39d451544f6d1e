import type { Expectation, ExpectedEvent, ExpectedState, Recording } from './recording.ts';

/**
 * Where minirt differs from the node on purpose (README.md, "Where minirt differs on purpose"): what is expected of it
 * instead. The list is closed.
 */
const differences: Readonly<Record<string, (expect: Expectation) => Expectation>> = {
  'poststart-hang-delete': (expect) => ({
    ...expect,
    phases: ['Pending', 'Succeeded'],
    ready: ['False'],
    containers: Object.fromEntries(
      Object.entries(expect.containers).map(([name, states]) => [name, states.filter(isNotRunning)]),
    ),
    deleteSeconds: [5, 7.5],
  }),
  'prestop-kills-pid1': (expect) => ({ ...expect, events: expect.events.filter(isNotBrokenRuntime) }),
  'exec-exit-code': (expect) => ({
    ...expect,
    execs: expect.execs.map((one) => (one.stderr.includes('OCI runtime exec failed') ? { ...one, exit: 127 } : one)),
  }),
};

/** What minirt has to do for this recording. */
export function expectationOf({ name, expect }: Recording): Expectation {
  return differences[name]?.(expect) ?? expect;
}

function isNotRunning({ state }: ExpectedState): boolean {
  return state !== 'running';
}

function isNotBrokenRuntime({ reason, message }: ExpectedEvent): boolean {
  return reason !== 'FailedKillPod' || !message.includes('ttrpc: closed');
}
