import { randomBytes } from 'node:crypto';
import { afterAll, describe, expect, test } from 'vitest';
import { execCapture } from '../../src/container/exec.ts';
import { type RunCommand, tryExec } from '../../src/pod/probes/exec.ts';
import { PROBE_OUTPUT_BYTES, type ProbeSurroundings } from '../../src/pod/probes/outcome.ts';
import { TestHost, until } from '../support/containers.ts';
import { execRequest, leavesOf, pidsOf } from '../support/exec.ts';

const host = new TestHost();
afterAll(() => host.close());
await host.open();
const container = await host.run({ args: ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 0.1; done'] });

/** The ids of the commands that were run, latest last. */
const ids: string[] = [];
const run: RunCommand = (command, options) => {
  const request = { ...execRequest(container, [...command]), id: `probe-${randomBytes(4).toString('hex')}` };
  ids.push(request.id);
  return execCapture(request, options);
};
const around = (signal: AbortSignal): ProbeSurroundings => ({ podIp: undefined, ports: [], timeoutSeconds: 1, signal });
const attempt = (command: readonly string[], signal = new AbortController().signal) =>
  tryExec({ kind: 'exec', command }, around(signal), run);

describe('an exec probe', () => {
  test.each([
    ['true', 'success', 0, ''],
    ['false', 'failure', 1, ''],
    ['echo out; echo err >&2; exit 3', 'failure', 3, 'out\nerr\n'],
    ['kill -9 $$', 'failure', 137, ''],
    // A shell's own word for it, which is an answer like any other.
    ['no-such-command 2> /dev/null', 'failure', 127, ''],
  ])('of `%s` is a %s', async (line, outcome, exitCode, output) => {
    expect(await attempt(['sh', '-c', line])).toEqual({ outcome, exitCode, output });
  });

  test.each([
    [['no-such-command'], 'exec: "no-such-command": executable file not found in $PATH'],
    [['/etc'], 'exec: "/etc": permission denied'],
  ])('of %j could not be carried out', async (command, why) => {
    expect(await attempt(command)).toMatchObject({ outcome: 'error', output: `failed to exec in container: ${why}` });
  });

  test('keeps no more than the beginning of what is printed', async () => {
    const { outcome, output } = await attempt(['sh', '-c', 'while :; do echo xxxxxxxxxx; done | head -n 5000']);
    expect(outcome).toBe('success');
    expect(output).toHaveLength(PROBE_OUTPUT_BYTES);
  });

  test('whose time is over is killed with all that it started', async () => {
    const late = new AbortController();
    const trying = attempt(['sh', '-c', 'setsid sleep 1000 & sleep 1000 & wait'], late.signal);
    const id = ids.at(-1) ?? '';
    await until('it runs', () => pidsOf(container, { id }).length === 3);
    late.abort();
    expect(await trying).toMatchObject({
      outcome: 'failure',
      output: 'command timed out: "sh -c setsid sleep 1000 & sleep 1000 & wait" timed out after 1s',
    });
    await until('its leaf is gone', () => !leavesOf(container).includes(`exec-${id}`));
  });
});
