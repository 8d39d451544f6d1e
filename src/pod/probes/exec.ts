import { messageOf } from '../../base/errors.ts';
import type { ExecAction } from '../../manifest/pod.ts';
import { type ProbeSurroundings, PROBE_OUTPUT_BYTES, type Tried, errored, failure } from './outcome.ts';

/** Runs a command in the container; killed with all its descendants when the signal comes. */
export type RunCommand = (
  command: readonly string[],
  options: { readonly signal: AbortSignal; readonly limit: number },
) => Promise<{ readonly code: number; readonly stdout: Buffer; readonly stderr: Buffer }>;

/** The helper's words for a command that could not be run at all. */
const REFUSED = /^exec failed: (.*?)\n?$/s;

/** Exit 0 is success; a command that is not there is no answer at all (pkg/probe/exec/exec.go). */
export async function tryExec(action: ExecAction, around: ProbeSurroundings, run: RunCommand): Promise<Tried> {
  const { signal, timeoutSeconds } = around;
  try {
    const { code, stdout, stderr } = await run(action.command, { signal, limit: PROBE_OUTPUT_BYTES });
    const refused = code === 126 || code === 127 || code === 125 ? REFUSED.exec(stderr.toString('utf8')) : null;
    if (refused !== null && stdout.length === 0) return errored(`failed to exec in container: ${refused[1] ?? ''}`);
    const output = Buffer.concat([stdout, stderr]).subarray(0, PROBE_OUTPUT_BYTES).toString('utf8');
    return { outcome: code === 0 ? 'success' : 'failure', exitCode: code, output };
  } catch (error) {
    if (!signal.aborted) return errored(messageOf(error));
    const command = action.command.join(' ');
    return failure(`command timed out: "${command}" timed out after ${timeoutSeconds}s`);
  }
}
