import { join } from 'node:path';
import { SECOND, waitUntil } from '../../base/clock.ts';
import { containerPaths, podLogs, podPaths } from '../../state/paths.ts';
import { bytesOnDisk } from '../../sys/disk.ts';
import type { EngineView } from '../engine.ts';
import { idOf } from '../lifecycle.ts';
import { type StorageUse, limitsStorage, overStorage } from '../storage.ts';
import { outgrown } from '../volumes/empty-dir.ts';
import type { PodHostPorts } from './host.ts';
import { volumeHome } from './sandbox.ts';

/** How often the kubelet looks (pkg/kubelet: evictionMonitoringPeriod). */
const PERIOD = 10n * SECOND;

/** Measures what a pod has on disk until aborted, or until something is over its limit: then the pod is evicted. */
export async function measureStorage(ports: PodHostPorts, engine: EngineView, signal: AbortSignal): Promise<void> {
  const { clock, roots } = ports;
  const home = volumeHome(roots, engine);
  try {
    for (;;) {
      await waitUntil(clock, clock.now() + PERIOD, signal);
      const message = (await outgrown(engine.pod, home, signal)) ?? (await overLimits(ports, engine, signal));
      if (message !== undefined) return engine.emit({ kind: 'evict', message });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

async function overLimits(ports: PodHostPorts, engine: EngineView, signal: AbortSignal): Promise<string | undefined> {
  if (!limitsStorage(engine.pod)) return undefined;
  return overStorage(engine.pod, await used(ports, engine, signal));
}

async function used({ roots }: PodHostPorts, { pod, record }: EngineView, signal: AbortSignal): Promise<StorageUse> {
  const logs = podLogs(roots, { namespace: pod.namespace, name: pod.name, uid: record.uid });
  const containers = new Map<string, number>();
  for (const container of record.containers) {
    const id = idOf(container);
    const layer = id === undefined ? 0 : await bytesOnDisk(containerPaths(roots, record.uid, id).upper, signal);
    containers.set(container.name, layer + (await bytesOnDisk(join(logs, container.name), signal)));
  }
  const whole = await bytesOnDisk(podPaths(roots, record.uid).bulk, signal);
  return { pod: whole + (await bytesOnDisk(logs, signal)), containers };
}
