import { randomBytes } from 'node:crypto';
import { seconds } from '../../base/clock.ts';
import { messageOf } from '../../base/errors.ts';
import { execCapture } from '../../container/exec.ts';
import { expandArgs } from '../../manifest/expand.ts';
import type { Container, EnvVar, Probe, ProbeName } from '../../manifest/pod.ts';
import { containerPaths } from '../../state/paths.ts';
import type { EngineView } from '../engine.ts';
import type { ProbeOutcome } from '../journal-entry.ts';
import { type RunCommand, tryExec } from '../probes/exec.ts';
import { tryGrpc } from '../probes/grpc.ts';
import { tryHttp } from '../probes/http.ts';
import { PROBE_OUTPUT_BYTES, type ProbeSurroundings, type Tried, errored } from '../probes/outcome.ts';
import { tryTcp } from '../probes/tcp.ts';
import { probeText } from '../probes/text.ts';
import { ownProcess } from './hook.ts';
import type { PodHostPorts } from './host.ts';
import { Lifeline } from './lifeline.ts';
import type { Live } from './live.ts';
import { maskOfInstance } from './mask.ts';

/** A try that could not be carried out is repeated at once, up to so many in all (prober.go: maxProbeRetries). */
const TRIES = 3;
const NANOSECONDS = 1e9;

/** How the latest try of each probe went, by container and probe; kept up by {@link runProbe}. */
export type LatestTries = Map<string, { readonly id: string; readonly outcome: ProbeOutcome }>;

export interface RunningProbe {
  readonly ports: PodHostPorts;
  readonly engine: EngineView;
  readonly container: Container;
  readonly id: string;
  readonly probe: ProbeName;
  /** undefined: the container is gone. */
  readonly live: Live | undefined;
  readonly latest: LatestTries;
}

/** Tries a probe once and tells what came of it; of an instance that is gone there is nothing to tell but its end. */
export async function runProbe(running: RunningProbe): Promise<void> {
  const { ports, engine, container, id, live } = running;
  const probe = container.probes[running.probe];
  if (probe === undefined) return;
  const began = ports.clock.now();
  let tried: Tried = errored('');
  let gone = live === undefined;
  for (let count = 0; count < TRIES && !gone; count++) {
    ({ tried, gone } = await tryOnce(running, probe));
    if (tried.outcome !== 'error') break;
  }
  if (ports.signal.aborted) return;
  if (gone) return live?.gone;
  const took = Number(ports.clock.now() - began) / NANOSECONDS;
  const mask = await maskOfInstance(ports, engine, id);
  const { outcome } = tried;
  const output = mask(tried.output);
  note(running, probe, { ...tried, output }, took);
  engine.emit({
    kind: 'container',
    name: container.name,
    event: { kind: 'probed', id, probe: running.probe, outcome, output },
  });
}

async function tryOnce(running: RunningProbe, probe: Probe): Promise<{ tried: Tried; gone: boolean }> {
  const { ports, engine, container, live } = running;
  const late = new AbortController();
  using lifeline = new Lifeline({ clock: ports.clock, live, ends: [ports.signal, late.signal], linger: 0n });
  const cancel = ports.clock.at(ports.clock.now() + seconds(probe.timeoutSeconds), () => {
    late.abort();
  });
  const { sandbox } = engine.record;
  try {
    const tried = await carryOut(running, probe, {
      podIp: sandbox.phase === 'ready' ? sandbox.ip : undefined,
      ports: container.ports,
      timeoutSeconds: probe.timeoutSeconds,
      signal: lifeline.signal,
    });
    return { tried, gone: lifeline.isGone };
  } catch (error) {
    return { tried: errored(messageOf(error)), gone: lifeline.isGone };
  } finally {
    cancel();
  }
}

function carryOut(running: RunningProbe, { handler }: Probe, around: ProbeSurroundings): Promise<Tried> {
  switch (handler.kind) {
    case 'exec': {
      const command = expandArgs(handler.command, literalEnv(running.container));
      return tryExec({ kind: 'exec', command }, around, commandIn(running));
    }
    case 'httpGet':
      return tryHttp(handler, around);
    case 'tcpSocket':
      return tryTcp(handler, around);
    case 'grpc':
      return tryGrpc(handler, around);
    default:
      return handler satisfies never;
  }
}

function commandIn({ ports, engine, id, probe }: RunningProbe): RunCommand {
  const paths = containerPaths(ports.roots, engine.record.uid, id);
  return async (args, options) => {
    const process = { ...(await ownProcess(paths)), args, terminal: false, stdin: false };
    const monitor = { socket: paths.socket, pod: engine.record.uid, container: id };
    return execCapture({ monitor, id: `${probe}-${randomBytes(6).toString('hex')}`, process }, options);
  };
}

/** Only what is written out is known to a probe (ExpandContainerCommandOnlyStatic). */
function literalEnv({ env }: Container): readonly EnvVar[] {
  return env.map((entry) => ('value' in entry ? entry : { name: entry.name, value: '' }));
}

/** What went wrong is kept, and the first time that it goes well again. */
function note({ engine, container, id, probe, latest }: RunningProbe, spec: Probe, tried: Tried, took: number): void {
  const key = `${container.name} ${probe}`;
  const before = latest.get(key);
  latest.set(key, { id, outcome: tried.outcome });
  const wasGood = before?.id !== id || before.outcome === 'success';
  if (tried.outcome === 'success' && wasGood) return;
  engine.note({
    kind: 'probe',
    container: container.name,
    probe,
    handler: probeText(spec.handler),
    restartCount: engine.record.containers.find(({ name }) => name === container.name)?.restartCount ?? 0,
    seconds: took,
    outcome: tried.outcome,
    ...(tried.exitCode === undefined ? {} : { exitCode: tried.exitCode }),
    output: tried.output,
    truncated: tried.output.length >= PROBE_OUTPUT_BYTES,
  });
}
