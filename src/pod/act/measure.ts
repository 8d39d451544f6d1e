import { SECOND, waitUntil } from '../../base/clock.ts';
import type { EngineView } from '../engine.ts';
import { outgrown } from '../volumes/empty-dir.ts';
import type { PodHostPorts } from './host.ts';
import { volumeHome } from './sandbox.ts';

/** How often the kubelet looks (pkg/kubelet: evictionMonitoringPeriod). */
const PERIOD = 10n * SECOND;

/** Measures the volumes of a pod until aborted, or until one is over its limit: then the pod is evicted. */
export async function measureVolumes(ports: PodHostPorts, engine: EngineView, signal: AbortSignal): Promise<void> {
  const { clock, roots } = ports;
  const home = volumeHome(roots, engine);
  try {
    for (;;) {
      await waitUntil(clock, clock.now() + PERIOD, signal);
      const message = await outgrown(engine.pod, home, signal);
      if (message !== undefined) return engine.emit({ kind: 'evict', message });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
