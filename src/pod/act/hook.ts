import { existsSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SECOND, waitUntil } from '../../base/clock.ts';
import { MinirtError, messageOf } from '../../base/errors.ts';
import { readHookResult, startHook, waitHookResult, type HookResult } from '../../container/exec.ts';
import type { ProcessSpec } from '../../container/spec.ts';
import type { Container, Handler } from '../../manifest/pod.ts';
import { privateFolder } from '../../state/files.ts';
import { type ContainerPaths, containerPaths } from '../../state/paths.ts';
import type { EngineView } from '../engine.ts';
import { type ExecResult, execOutcome } from '../hooks/exec.ts';
import type { HookOutcome } from '../hooks/outcome.ts';
import { failureMessage, handlerText } from '../hooks/text.ts';
import type { ContainerRecord, HookName, HookRun } from '../record.ts';
import { graceLeft } from '../stop.ts';
import type { PodHostPorts } from './host.ts';
import type { Live } from './live.ts';

/** Bytes of a hook's output that are kept. */
const OUTPUT_LIMIT = 64 * 1024;
const NANOSECONDS = 1e9;
/** How long after its container a hook's result may still arrive. */
const LAST_WORDS = 2n * SECOND;

export interface RunningHook {
  readonly ports: PodHostPorts;
  readonly engine: EngineView;
  readonly container: Container;
  readonly id: string;
  readonly hook: HookName;
  /** undefined: the container is gone. */
  readonly live: Live | undefined;
  /** Whether the grace period ended the hook. */
  readonly wasCut: () => boolean;
}

/** Runs a hook, or takes up one that an earlier owner began, and tells how it went. */
export async function runHook(running: RunningHook): Promise<void> {
  const { ports, engine, container, hook, id } = running;
  const handler = container[hook];
  const run = recordOf(engine, container.name)?.hooks[hook];
  if (handler === undefined || run === undefined) return;
  const about = {
    container: container.name,
    hook,
    handler: handlerText(handler),
    restartCount: recordOf(engine, container.name)?.restartCount ?? 0,
  };
  const { outcome, output, truncated } = await execHook(running, handler, run, () => {
    engine.note({ kind: 'hook-start', ...about });
  });
  const now = ports.clock.now();
  const cut = running.wasCut() && !outcome.ok;
  engine.note({
    kind: 'hook-end',
    ...about,
    seconds: Number(now - run.since) / NANOSECONDS,
    outcome: cut ? 'ended-by-deadline' : outcome.ok ? 'ok' : 'failed',
    ...(outcome.exitCode === undefined ? {} : { exitCode: outcome.exitCode }),
    ...(outcome.ok ? {} : { message: outcome.detail }),
    output,
    truncated,
    ...leftOver(engine, container.name, now),
  });
  const where = { pod: engine.pod, uid: engine.record.uid, container: container.name };
  const message = outcome.ok ? '' : failureMessage(handler, where, outcome);
  const { ok, detail } = outcome;
  engine.emit({
    kind: 'container',
    name: container.name,
    event: { kind: 'hookEnded', id, hook, ok, message, detail, byDeadline: cut },
  });
}

async function execHook(
  running: RunningHook,
  handler: Handler,
  run: HookRun,
  onStart: () => void,
): Promise<{ outcome: HookOutcome; output: string; truncated: boolean }> {
  const { ports, engine, id } = running;
  const paths = containerPaths(ports.roots, engine.record.uid, id);
  const files = hookFiles(paths, run.execId);
  try {
    if (!(await wasBegun(running, run, files)) && running.live !== undefined) {
      privateFolder(paths.execs);
      onStart();
      writeFileSync(files.begun, '');
      const process = { ...(await ownProcess(paths)), args: handler.command, terminal: false, stdin: false };
      const monitor = { socket: paths.socket, pod: engine.record.uid, container: id };
      await startHook({ monitor, id: run.execId, process }, { ...files, limit: OUTPUT_LIMIT });
    }
    const result = await resultOf(running, files);
    const output = result.kind === 'exited' ? result.output : '';
    const truncated = result.kind === 'exited' && result.truncated;
    return { outcome: execOutcome(handler.command, split(result)), output, truncated };
  } catch (error) {
    const failed: ExecResult = { kind: 'failed', what: messageOf(error) };
    return { outcome: execOutcome(handler.command, failed), output: '', truncated: false };
  }
}

/** The container's own process: a hook has its environment, user and capabilities. */
async function ownProcess(paths: ContainerPaths): Promise<ProcessSpec> {
  return JSON.parse(await readFile(paths.process, 'utf8')) as ProcessSpec;
}

/**
 * Whether an earlier owner began the hook. One that died over the beginning left its word for it, but neither a command
 * nor a result: then it is begun again.
 */
async function wasBegun({ ports, live }: RunningHook, run: HookRun, files: HookPaths): Promise<boolean> {
  if (!existsSync(files.begun)) return false;
  // Without cgroup2 there is nothing to see of an exec.
  if (live === undefined || ports.cgroups.describe().kill !== 'cgroup2') return true;
  const leaf = join(await readFile(files.cgroup, 'utf8'), `exec-${run.execId}`);
  const told = (): boolean => existsSync(leaf) || existsSync(files.result);
  if (told()) return true;
  // Between the two there is a moment with neither.
  await waitUntil(ports.clock, ports.clock.now() + LAST_WORDS, ports.signal);
  return told();
}

/** Waits for the result; when the container is gone first, the hook died with it and has a moment to say so. */
async function resultOf({ ports, live }: RunningHook, files: HookPaths): Promise<HookResult> {
  const why = 'the container exited while the hook ran';
  if (live === undefined) return (await readHookResult(files)) ?? { kind: 'failed', what: why };
  const gone = new AbortController();
  const giveUp = (): void => {
    gone.abort(new MinirtError('hook.failed', why));
  };
  void live.gone.then(() => ports.clock.at(ports.clock.now() + LAST_WORDS, giveUp));
  // Not AbortSignal.any: with a signal that lives as long as the owner it never lets go (nodejs/node#54614).
  ports.signal.addEventListener('abort', giveUp, { once: true });
  try {
    return await waitHookResult(files, gone.signal);
  } catch (error) {
    return (await readHookResult(files)) ?? { kind: 'failed', what: messageOf(error) };
  } finally {
    ports.signal.removeEventListener('abort', giveUp);
  }
}

interface HookPaths {
  /** There once the hook is about to be begun. */
  readonly begun: string;
  readonly output: string;
  readonly result: string;
  /** Names the container's cgroup. */
  readonly cgroup: string;
}

function hookFiles(paths: ContainerPaths, execId: string): HookPaths {
  const file = (suffix: string): string => join(paths.execs, `${execId}.${suffix}`);
  return { begun: file('begun'), output: file('log'), result: file('result'), cgroup: paths.cgroup };
}

/** The output as the kubelet's texts want it: stdout and stderr apart, marks removed. */
export function split(result: HookResult): ExecResult {
  if (result.kind === 'failed') return { kind: 'failed', what: result.what };
  const streams = { stdout: '', stderr: '' };
  for (const line of result.output.split('\n')) {
    const match = /^\S+ (stdout|stderr) ([PF])\S* ?(.*)$/s.exec(line);
    if (match === null) continue;
    streams[match[1] as 'stdout' | 'stderr'] += (match[3] ?? '') + (match[2] === 'F' ? '\n' : '');
  }
  return { kind: 'exited', code: result.code, ...streams };
}

function leftOver(engine: EngineView, name: string, now: bigint): { graceLeft?: number } {
  const state = recordOf(engine, name)?.state;
  if (state?.phase !== 'stopping') return {};
  return { graceLeft: graceLeft(state, now) };
}

function recordOf(engine: EngineView, name: string): ContainerRecord | undefined {
  return engine.record.containers.find((one) => one.name === name);
}
