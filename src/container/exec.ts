import { spawn, spawnSync } from 'node:child_process';
import { watch } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { isatty } from 'node:tty';
import { abortReason } from '../base/clock.ts';
import { MinirtError, isErrno } from '../base/errors.ts';
import { helperPath } from '../helper/locate.ts';
import type { MonitorAddress } from '../helper/monitor.ts';
import { type Op, encodePlan } from '../helper/plan.ts';
import { processOps } from './launch.ts';
import type { ProcessSpec } from './spec.ts';

/** A command to be run in a running container. */
export interface ExecRequest {
  readonly monitor: MonitorAddress;
  /** Names its cgroup leaf: letters, digits, `-` and `_`, unique in the container's life. */
  readonly id: string;
  readonly process: ProcessSpec;
}

export interface HookFiles {
  /** CRI-format lines of what the command printed. */
  readonly output: string;
  /** Appears, whole, when the command has ended. */
  readonly result: string;
}

export type HookResult =
  | {
      readonly kind: 'exited';
      /** 128+n for a signal; 127 and 126 as shells have them are `failed`. */
      readonly code: number;
      readonly output: string;
      readonly truncated: boolean;
      /** CLOCK_MONOTONIC, ns. */
      readonly at: bigint;
    }
  | { readonly kind: 'failed'; readonly errno?: number; readonly what: string };

/** The exit status of a helper that ended without one. */
const MINIRT_FAILED = 125;
const PLAN_FD = 3;

/**
 * Runs a command on this process's stdio and answers its exit status: 128+n for a signal, 127 not found, 126 not
 * executable, 125 minirt failed (said on stderr). Signals from the terminal are the helper's, not ours.
 */
export async function execInteractive(
  request: ExecRequest,
  options: {
    /** Of the command's terminal, when it is not to be that of ours. */
    readonly winsize?: { readonly rows: number; readonly columns: number };
  } = {},
): Promise<number> {
  const { winsize } = options;
  const before = request.process.terminal ? terminalMode() : undefined;
  const ignore = (): void => {};
  const signals = ['SIGINT', 'SIGQUIT'] as const;
  for (const signal of signals) process.on(signal, ignore);
  try {
    const child = spawn(helperPath(), ['exec'], { stdio: ['inherit', 'inherit', 'inherit', 'pipe'] });
    sendPlan(
      child.stdio[PLAN_FD] as Writable,
      clientPlan(request, winsize === undefined ? [] : [['winsize', String(winsize.rows), String(winsize.columns)]]),
    );
    const { code, signal } = await forwarding(child);
    if (signal !== null && before !== undefined) restoreTerminal(before);
    return code ?? MINIRT_FAILED;
  } finally {
    for (const signal of signals) process.off(signal, ignore);
  }
}

/** SIGTERM and SIGHUP to us end the command, as they end kubectl. */
async function forwarding(child: ReturnType<typeof spawn>): ReturnType<typeof ended> {
  const forward = (signal: NodeJS.Signals): void => {
    child.kill(signal);
  };
  const signals = ['SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, forward);
  try {
    return await ended(child);
  } finally {
    for (const signal of signals) process.off(signal, forward);
  }
}

/** Runs a command with its output kept: at most `limit` bytes a stream, what follows is dropped. */
export async function execCapture(
  request: ExecRequest,
  options: { readonly signal: AbortSignal; readonly limit: number },
): Promise<{ readonly code: number; readonly stdout: Buffer; readonly stderr: Buffer }> {
  const child = spawn(helperPath(), ['exec'], { stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
  const stop = (): void => {
    child.kill('SIGKILL');
  };
  options.signal.addEventListener('abort', stop, { once: true });
  try {
    sendPlan(child.stdio[PLAN_FD] as Writable, clientPlan(request));
    const [stdout, stderr, { code }] = await Promise.all([
      collect(child.stdio[1] as Readable, options.limit),
      collect(child.stdio[2] as Readable, options.limit),
      ended(child),
    ]);
    if (options.signal.aborted) throw abortReason(options.signal);
    return { code: code ?? MINIRT_FAILED, stdout, stderr };
  } finally {
    options.signal.removeEventListener('abort', stop);
  }
}

/** Starts a command that outlives this process and leaves its outcome in files. */
export async function startHook(request: ExecRequest, files: HookFiles & { readonly limit: number }): Promise<void> {
  const child = spawn(helperPath(), ['exec'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    detached: true,
    cwd: '/',
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (cause) => {
      reject(new MinirtError('helper.missing', `run helper: exec: ${cause.message}`, { cause }));
    });
  });
  const plan = [
    ...execPlan(request, 'hook'),
    ['output', files.output, String(files.limit)],
    ['result', files.result],
  ] satisfies Op[];
  const pipe = child.stdio[PLAN_FD] as Writable & { unref?: () => void };
  sendPlan(pipe, encodePlan(plan));
  child.once('exit', (code, signal) => {
    // Where the folder is gone, nobody waits any more.
    void giveUp(files, signal ?? `status ${String(code)}`).catch(() => undefined);
  });
  child.unref();
}

/** A helper that was killed leaves no result; whoever waits must not wait for ever. */
async function giveUp(files: HookFiles, how: string): Promise<void> {
  if ((await readIfThere(files.result)) !== undefined) return;
  const draft = `${files.result}.lost`;
  await writeFile(draft, `${JSON.stringify({ failed: `the hook's helper ended with ${how}` })}\n`, { mode: 0o600 });
  await rename(draft, files.result);
}

/** Waits for a hook's result, whoever started it. Rejects with the signal's reason when aborted first. */
export async function waitHookResult(files: HookFiles, signal: AbortSignal): Promise<HookResult> {
  let rouse: (() => void) | undefined;
  const wake = (): void => rouse?.();
  const watcher = watch(dirname(files.result));
  watcher.on('change', wake);
  signal.addEventListener('abort', wake, { once: true });
  try {
    for (;;) {
      // Armed before the look, so that nothing falls between the two.
      const changed = new Promise<void>((resolve) => {
        rouse = resolve;
      });
      const result = await readHookResult(files);
      if (result !== undefined) return result;
      if (signal.aborted) throw abortReason(signal);
      await changed;
    }
  } finally {
    signal.removeEventListener('abort', wake);
    watcher.close();
  }
}

/** A hook's result when it is there. */
export async function readHookResult(files: HookFiles): Promise<HookResult | undefined> {
  const text = await readIfThere(files.result);
  if (text === undefined) return undefined;
  const said = JSON.parse(text) as ResultLine;
  if (said.code === undefined) {
    return { kind: 'failed', what: said.failed ?? text, ...(said.errno === undefined ? {} : { errno: said.errno }) };
  }
  const output = (await readIfThere(files.output)) ?? '';
  return { kind: 'exited', code: said.code, output, truncated: said.truncated === true, at: BigInt(said.t ?? 0) };
}

/** See the section `exec` of docs/helper-protocol.md. */
interface ResultLine {
  readonly code?: number;
  readonly truncated?: boolean;
  readonly failed?: string;
  readonly errno?: number;
  readonly t?: string;
}

function execPlan(request: ExecRequest, kind: 'client' | 'hook'): readonly Op[] {
  const { monitor, id, process: spec } = request;
  return [
    ['socket', monitor.socket],
    ['pod', monitor.pod],
    ['container', monitor.container],
    ['exec', id, kind],
    ...processOps(spec),
  ];
}

function clientPlan(request: ExecRequest, more: readonly Op[] = []): Buffer {
  return encodePlan([...execPlan(request, 'client'), ...more]);
}

/** A helper that refused to start has closed the pipe; its exit status says more. */
function sendPlan(pipe: Writable, plan: Buffer): void {
  pipe.on('error', () => undefined);
  pipe.end(plan);
}

function ended(child: ReturnType<typeof spawn>): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  return new Promise((resolve, reject) => {
    child.on('error', (cause) => {
      reject(new MinirtError('helper.missing', `run helper: exec: ${cause.message}`, { cause }));
    });
    child.on('close', (code, signal) => {
      resolve({ code, signal });
    });
  });
}

async function collect(stream: Readable, limit: number): Promise<Buffer> {
  const kept: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    const part = chunk.subarray(0, Math.max(0, limit - size));
    size += part.length;
    if (part.length > 0) kept.push(part);
  }
  return Buffer.concat(kept);
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** How the terminal is set now; a helper that was killed could not put it back. */
function terminalMode(): string | undefined {
  // Not process.stdin: touching it would make Node a reader of the terminal, beside the helper.
  if (!isatty(0)) return undefined;
  const { status, stdout } = spawnSync('stty', ['-g'], { stdio: ['inherit', 'pipe', 'ignore'], encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

function restoreTerminal(mode: string): void {
  spawnSync('stty', [mode], { stdio: ['inherit', 'ignore', 'ignore'] });
}
