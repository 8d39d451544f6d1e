import { spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { getSystemErrorMap } from 'node:util';
import { abortReason } from '../base/clock.ts';
import { MinirtError } from '../base/errors.ts';
import { helperPath } from './locate.ts';

/** The helper never says more than this on stdout, but for `peek`, which has its own limits. */
const LONGEST_ANSWER = 64 * 1024 * 1024;

export interface RoleOptions {
  /** Words after the role's name. */
  readonly args?: readonly string[];
  /** Written to the helper's stdin. */
  readonly plan?: Buffer;
  /** Inherited from descriptor 3 on. */
  readonly fds?: readonly number[];
  /** Kills the helper. */
  readonly signal?: AbortSignal;
}

/**
 * Runs one role of the helper to its end.
 * @throws MinirtError helper.failed with details {role, stage, errno, what}; host.no-overlay; helper.missing
 */
export function runRole(role: string, options: RoleOptions = {}): Promise<{ stdout: Buffer }> {
  const { args = [], plan, fds = [], signal } = options;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(abortReason(signal));
    const child = spawn(helperPath(), [role, ...args], { stdio: ['pipe', 'pipe', 'inherit', ...fds] });
    // Pipes, as asked for; the type of a list of stdio cannot say so.
    const [stdin, stdout] = child.stdio as unknown as [Writable, Readable];
    const chunks: Buffer[] = [];
    let size = 0;
    const follow = (): void => {
      child.kill('SIGKILL');
    };
    signal?.addEventListener('abort', follow, { once: true });
    stdout.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > LONGEST_ANSWER) child.kill('SIGKILL');
      else chunks.push(chunk);
    });
    // A helper that refuses its plan may not have read all of it.
    stdin.on('error', () => {});
    stdin.end(plan);
    child.on('error', (cause) => {
      signal?.removeEventListener('abort', follow);
      reject(new MinirtError('helper.missing', `run helper: ${role}: ${cause.message}`, { cause }));
    });
    child.on('close', (code, killer) => {
      signal?.removeEventListener('abort', follow);
      const said = Buffer.concat(chunks);
      if (signal?.aborted) reject(abortReason(signal));
      else if (code === 0) resolve({ stdout: said });
      else reject(helperFailed(role, said.toString(), { code, signal: killer }));
    });
  });
}

/** The error for a helper that ended badly: its own `failed` line where there is one. */
export function helperFailed(
  role: string,
  output: string,
  exit: { readonly code: number | null; readonly signal: string | null },
): MinirtError {
  const line = output.split('\n').find((text) => text.includes('"event":"failed"'));
  if (line === undefined) {
    const how = exit.signal === null ? `exited with ${exit.code}` : `was killed by ${exit.signal}`;
    return new MinirtError('helper.failed', `run helper: ${role}: it ${how} and said nothing`, {
      details: { role, code: exit.code, signal: exit.signal },
    });
  }
  const { stage, errno, what } = JSON.parse(line) as { stage: string; errno: number; what: string };
  const name = errnoName(errno);
  // mount(2): the kernel does not have a filesystem of this type.
  if (stage === 'rootfs' && name === 'ENODEV' && what.startsWith('overlay ')) {
    return new MinirtError('host.no-overlay', `mount ${what}: the kernel has no overlayfs`, {
      hint: 'modprobe overlay',
      details: { role, stage, errno, errnoName: name, what },
    });
  }
  return new MinirtError('helper.failed', `run helper: ${role}: ${stage}: ${what}: ${name}`, {
    details: { role, stage, errno, errnoName: name, what },
  });
}

/** `ENOENT` for 2. */
export function errnoName(errno: number): string {
  return getSystemErrorMap().get(-errno)?.[0] ?? `errno ${errno}`;
}
