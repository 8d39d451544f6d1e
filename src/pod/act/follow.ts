import { type MonoNs, SECOND, waitUntil } from '../../base/clock.ts';
import type { EngineView } from '../engine.ts';
import { mountBackoff } from '../restart.ts';
import { failedMount } from '../step.ts';
import { prepareVolume } from '../volumes/index.ts';
import type { PodHostPorts } from './host.ts';
import { preparing } from './sandbox.ts';

/** How often objects are looked at. */
const PERIOD = SECOND;

/** A volume that could not be brought up to date: what was waited, and until when. */
interface Delay {
  readonly waited: MonoNs;
  readonly until: MonoNs;
}

/**
 * Brings volumes up to date as the objects change that they are made from, until aborted. What cannot be followed keeps
 * its files, and is told of as the kubelet tells it: at first, then less and less often.
 */
export async function followObjects(ports: PodHostPorts, engine: EngineView, signal: AbortSignal): Promise<void> {
  const { clock } = ports;
  const followed = engine.pod.volumes.filter((volume) => 'sources' in volume);
  const about = preparing(ports, engine);
  const delays = new Map<string, Delay>();
  while (await isTime(ports, signal)) {
    for (const volume of followed) {
      const delay = delays.get(volume.name);
      if (delay !== undefined && clock.now() < delay.until) continue;
      const failure = await prepareVolume(volume, about);
      if (signal.aborted) return;
      if (failure === undefined) {
        delays.delete(volume.name);
        continue;
      }
      engine.note(failedMount(failure));
      const waited = mountBackoff(delay?.waited);
      delays.set(volume.name, { waited, until: clock.now() + waited });
    }
  }
}

/** Waits for the next look; false when there is none any more. */
async function isTime({ clock }: PodHostPorts, signal: AbortSignal): Promise<boolean> {
  return waitUntil(clock, clock.now() + PERIOD, signal).then(
    () => true,
    () => false,
  );
}
