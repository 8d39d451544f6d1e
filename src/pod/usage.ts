import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { isErrno } from '../base/errors.ts';
import { type Usage, cgroupUsage } from '../container/cgroup/meter.ts';
import { type Roots, containerPaths } from '../state/paths.ts';
import type { PodView } from './view.ts';

/** For how long is watched what CPU time is used. */
const WINDOW_MS = 1000;

/** What a container uses. */
export interface ContainerUsage {
  readonly name: string;
  /** Thousandths of a CPU. */
  readonly cpu: number;
  /** Bytes. */
  readonly memory: number;
  /** Percent of the last ten seconds in which something waited; undefined where the kernel does not say. */
  readonly pressure: Usage['pressure'];
}

/** What the running containers of some pods use, watched for a second; of a pod where none runs there is none. */
export async function usageOf(
  roots: Roots,
  pods: readonly PodView[],
): Promise<ReadonlyMap<PodView, readonly ContainerUsage[]>> {
  const running = await Promise.all(pods.map(async (pod) => ({ pod, containers: await cgroupsOf(roots, pod) })));
  const look = (): Look => ({
    at: process.hrtime.bigint(),
    usage: new Map(running.flatMap(({ containers }) => containers.map(({ path }) => [path, cgroupUsage(path)]))),
  });
  const first = look();
  await delay(WINDOW_MS);
  const second = look();
  return new Map(
    running.map(({ pod, containers }) => [
      pod,
      containers.flatMap(({ name, path }) => {
        const [before, after] = [first.usage.get(path), second.usage.get(path)];
        if (before === undefined || after === undefined) return [];
        const used = ((after.cpu - before.cpu) * 1000n) / (second.at - first.at);
        return [{ name, cpu: Math.max(0, Number(used)), memory: after.memory, pressure: after.pressure }];
      }),
    ]),
  );
}

interface Look {
  /** CLOCK_MONOTONIC, ns. */
  readonly at: bigint;
  readonly usage: ReadonlyMap<string, Usage | undefined>;
}

async function cgroupsOf(
  roots: Roots,
  { uid, record }: PodView,
): Promise<readonly { readonly name: string; readonly path: string }[]> {
  const found = await Promise.all(
    record.containers.map(async ({ name, state }) => {
      if (!('id' in state)) return [];
      const path = await textOf(containerPaths(roots, uid, state.id).cgroup);
      return path === undefined ? [] : [{ name, path }];
    }),
  );
  return found.flat();
}

/** Undefined for a container that ended meanwhile. */
async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
