import { existsSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SECOND, waitUntil } from '../../base/clock.ts';
import { MinirtError, messageOf } from '../../base/errors.ts';
import { readHookResult, startHook, waitHookResult, type HookResult } from '../../container/exec.ts';
import type { ProcessSpec } from '../../container/spec.ts';
import type { Container, ExecAction, Handler, HttpGetAction } from '../../manifest/pod.ts';
import { privateFolder } from '../../state/files.ts';
import { type ContainerPaths, containerPaths } from '../../state/paths.ts';
import type { EngineView } from '../engine.ts';
import { type ExecResult, execOutcome } from '../hooks/exec.ts';
import { runHttpHook } from '../hooks/http.ts';
import type { HookOutcome } from '../hooks/outcome.ts';
import { runSleepHook } from '../hooks/sleep.ts';
import { failureMessage, handlerText, invalidHandler } from '../hooks/text.ts';
import type { HookCut } from '../plan.ts';
import type { ContainerRecord, HookName, HookRun } from '../record.ts';
import { graceLeft } from '../stop.ts';
import type { PodHostPorts } from './host.ts';
import { Lifeline } from './lifeline.ts';
import type { Live } from './live.ts';
import { maskOfInstance } from './mask.ts';

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
  /** Aborted when the hook is ended before it is done; the reason is a {@link HookCut}. */
  readonly cut: AbortSignal;
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
  const told = await carryOut(running, handler, run, () => {
    engine.note({ kind: 'hook-start', ...about });
  });
  // What another owner will find is not for this one to tell.
  if (ports.signal.aborted) return;
  const mask = await maskOfInstance(ports, engine, id);
  const { truncated } = told;
  const output = mask(told.output);
  const why = running.cut.aborted && !told.outcome.ok ? (running.cut.reason as HookCut) : undefined;
  const went = why === 'timeout' ? timedOut(told.outcome, engine.pod.hookTimeout ?? 0) : told.outcome;
  const outcome = { ...went, error: mask(went.error), output: mask(went.output), detail: mask(went.detail) };
  // An owner that takes a hook over may see its end long after it came.
  const now = told.at ?? ports.clock.now();
  const cut = why === 'grace';
  engine.note({
    kind: 'hook-end',
    ...about,
    seconds: Number(now - run.since) / NANOSECONDS,
    outcome: cut ? 'ended-by-deadline' : outcome.ok ? 'ok' : 'failed',
    ...(outcome.exitCode === undefined ? {} : { exitCode: outcome.exitCode }),
    ...(outcome.detail === '' ? {} : { message: outcome.detail }),
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
    event: { kind: 'hookEnded', id, hook, ok, at: now, message, detail, byDeadline: cut },
  });
}

/** The kubelet knows no such end (KEP-4929 would bring it), so the words are minirt's. */
function timedOut(outcome: HookOutcome, limit: number): HookOutcome {
  const error = `timed out after ${limit} s`;
  return { ...outcome, exitCode: undefined, error, detail: error };
}

interface Told {
  readonly outcome: HookOutcome;
  /** CRI-marked lines. */
  readonly output: string;
  readonly truncated: boolean;
  /** When it ended; undefined: just now. */
  readonly at: bigint | undefined;
}

async function carryOut(running: RunningHook, handler: Handler, run: HookRun, onStart: () => void): Promise<Told> {
  if (handler.kind === 'exec') return execHook(running, handler, run, onStart);
  const { ports, engine, id } = running;
  const paths = containerPaths(ports.roots, engine.record.uid, id);
  const files = hookFiles(paths, run.execId);
  if (!existsSync(files.begun)) {
    privateFolder(paths.execs);
    onStart();
    writeFileSync(files.begun, '');
  }
  const outcome = await inOwner(running, handler, run);
  return { outcome, output: marked(outcome.output, ports.clock.wall()), truncated: false, at: undefined };
}

/** A hook that the owner itself carries out, with nothing to show for it when it dies: the next one does it again. */
async function inOwner(
  running: RunningHook,
  handler: Exclude<Handler, ExecAction>,
  run: HookRun,
): Promise<HookOutcome> {
  const { ports, live, cut } = running;
  const { clock } = ports;
  const linger = handler.kind === 'httpGet' ? LAST_WORDS : 0n;
  using lifeline = new Lifeline({ clock, live, ends: [ports.signal, cut], linger });
  switch (handler.kind) {
    case 'sleep':
      return await runSleepHook(handler, {
        clock,
        since: run.since,
        signal: lifeline.signal,
        isGone: () => lifeline.isGone,
      });
    case 'httpGet':
      return await httpHook(running, handler, lifeline);
    case 'tcpSocket':
      return invalidHandler(handler);
    default:
      return handler satisfies never;
  }
}

function httpHook(
  { engine, container }: RunningHook,
  handler: HttpGetAction,
  lifeline: Lifeline,
): Promise<HookOutcome> {
  const { sandbox } = engine.record;
  return runHttpHook(handler, {
    podIp: sandbox.phase === 'ready' ? sandbox.ip : undefined,
    ports: container.ports,
    signal: lifeline.signal,
    aborted: () => (lifeline.isGone ? 'the container exited while the hook ran' : 'context canceled'),
    onFallback: (address) => {
      const message = `request to HTTPS lifecycle hook ${address} got HTTP response, retry with HTTP succeeded`;
      engine.note({ kind: 'event', type: 'Warning', reason: 'LifecycleHTTPFallback', message });
    },
  });
}

/** What was answered, in the form in which a command's output is kept. */
function marked(text: string, wall: Date): string {
  const lines = text.split('\n');
  const last = lines.pop() ?? '';
  const whole = lines.map((line) => `${wall.toISOString()} stdout F ${line}\n`).join('');
  return last === '' ? whole : `${whole}${wall.toISOString()} stdout P ${last}\n`;
}

async function execHook(running: RunningHook, handler: ExecAction, run: HookRun, onStart: () => void): Promise<Told> {
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
    const at = result.kind === 'exited' ? result.at : undefined;
    return { outcome: execOutcome(handler.command, split(result)), output, truncated, at };
  } catch (error) {
    const failed: ExecResult = { kind: 'failed', what: messageOf(error) };
    return { outcome: execOutcome(handler.command, failed), output: '', truncated: false, at: undefined };
  }
}

/** The container's own process: a hook has its environment, user and capabilities. */
export async function ownProcess(paths: ContainerPaths): Promise<ProcessSpec> {
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
