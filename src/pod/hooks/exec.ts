import type { HookOutcome } from './outcome.ts';

/** What an exec handler's process did, in the helper's terms. */
export type ExecResult =
  | { readonly kind: 'exited'; readonly code: number; readonly stdout: string; readonly stderr: string }
  | { readonly kind: 'failed'; readonly what: string };

/** Lines of a hook's output that its event repeats. */
const DETAIL_LINES = 3;

/** Judges an exec handler: exit 0 is success (pkg/kubelet/lifecycle/handlers.go). Pure. */
export function execOutcome(command: readonly string[], result: ExecResult): HookOutcome {
  if (result.kind === 'failed') {
    return { ok: false, exitCode: undefined, error: result.what, output: '', detail: result.what };
  }
  const { code, stdout, stderr } = result;
  const output = stdout + stderr;
  if (code === 0) return { ok: true, exitCode: 0, error: '', output, detail: '' };
  const tail = (stderr === '' ? stdout : stderr).trimEnd().split('\n').slice(-DETAIL_LINES).join(' | ');
  return {
    ok: false,
    exitCode: code,
    error: `command '${command.join(' ')}' exited with ${code}: ${stderr}`,
    output,
    detail: tail === '' ? `exec exited with ${code}` : `exec exited with ${code}: ${tail}`,
  };
}
