import { divided, nanos } from '../../manifest/quantity.ts';
import type { Pod } from '../../manifest/pod.ts';
import type { EmptyDirVolume } from '../../manifest/volume.ts';
import { bytesOnDisk } from '../../sys/disk.ts';
import { podLimitsOf } from '../resources.ts';
import type { VolumeHome, VolumeKind } from './kind.ts';
import { type Place, inMemory, onDisk } from './place.ts';

/** A folder that lives as long as its pod, whatever becomes of the containers. */
export const emptyDir: VolumeKind<'emptyDir'> = {
  async prepare(volume, preparing) {
    const { memory } = preparing.node;
    const ofPod = podLimitsOf(preparing.pod)?.memory;
    const most = Math.min(memory, limitOf(volume) ?? memory, Number(ofPod ?? memory));
    await placeOf(volume).make(volume.name, preparing, most);
  },
  source: (volume, home) => Promise.resolve(emptyDirFolder(volume, home)),
};

/** Where it is on the host. */
export function emptyDirFolder(volume: EmptyDirVolume, home: VolumeHome): string {
  return placeOf(volume).folder(volume.name, home);
}

function placeOf({ medium }: EmptyDirVolume): Place {
  return medium === 'Memory' ? inMemory : onDisk;
}

/** Bytes; a limit of 0 is none (pkg/volume/emptydir: calculateEmptyDirMemorySize). */
function limitOf({ sizeLimit = '0' }: EmptyDirVolume): number | undefined {
  const bytes = Number(divided(nanos(sizeLimit), '1'));
  return bytes === 0 ? undefined : bytes;
}

/** What in a pod has outgrown its limit on disk, in the kubelet's words; in memory the file system sees to it. */
export async function outgrown({ volumes }: Pod, home: VolumeHome, signal: AbortSignal): Promise<string | undefined> {
  for (const volume of volumes) {
    if (volume.kind !== 'emptyDir' || volume.medium === 'Memory') continue;
    const limit = limitOf(volume);
    if (limit === undefined || (await bytesOnDisk(onDisk.folder(volume.name, home), signal)) <= limit) continue;
    return `Usage of EmptyDir volume "${volume.name}" exceeds the limit "${volume.sizeLimit ?? ''}". `;
  }
  return undefined;
}
