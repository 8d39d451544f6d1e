import { MinirtError } from '../../base/errors.ts';
import { divided, nanos } from '../../manifest/quantity.ts';
import { isHugePages, pageSize } from '../../manifest/resource-name.ts';
import type { Pod } from '../../manifest/pod.ts';
import type { EmptyDirVolume } from '../../manifest/volume.ts';
import { bytesOnDisk } from '../../sys/disk.ts';
import { podLimitsOf } from '../resources.ts';
import type { Preparing, VolumeHome, VolumeKind } from './kind.ts';
import { giveToGroup } from './ownership.ts';
import { type Place, hugePages, inMemory, onDisk } from './place.ts';

/** A folder that lives as long as its pod, whatever becomes of the containers. */
export const emptyDir: VolumeKind<'emptyDir'> = {
  prepare: async (volume, preparing) => giveToGroup(await made(volume, preparing), preparing),
  source: (volume, home) => Promise.resolve(emptyDirFolder(volume, home)),
};

async function made(volume: EmptyDirVolume, preparing: Preparing): Promise<string> {
  const { medium, name } = volume;
  if (medium.startsWith(HUGE_PAGES)) return hugePages(pageSizeOf(medium, preparing.pod)).make(name, preparing);
  if (medium !== '' && medium !== 'Memory') {
    throw new MinirtError('volume.failed', `unknown storage medium ${JSON.stringify(medium)}`);
  }
  const { memory } = preparing.node;
  const ofPod = podLimitsOf(preparing.pod)?.memory;
  const most = Math.min(memory, limitOf(volume) ?? memory, Number(ofPod ?? memory));
  return placeOf(volume).make(name, preparing, most);
}

/** Where it is on the host. */
export function emptyDirFolder(volume: EmptyDirVolume, home: VolumeHome): string {
  return placeOf(volume).folder(volume.name, home);
}

function placeOf({ medium }: EmptyDirVolume): Place {
  return medium === '' ? onDisk : inMemory;
}

const HUGE_PAGES = 'HugePages';

/** Bytes: the one size that containers of the pod ask for, or the one that the medium names (getPageSizeMountOption). */
function pageSizeOf(medium: string, { containers }: Pod): bigint {
  const asked = containers.flatMap(({ resources }) => Object.keys({ ...resources.limits, ...resources.requests }));
  const sizes = new Set(asked.filter(isHugePages).flatMap((name) => pageSize(name) ?? []));
  const named = medium === HUGE_PAGES ? undefined : pageSize(medium.replace(HUGE_PAGES, 'hugepages'));
  const [size, ...others] = medium === HUGE_PAGES ? sizes : [...sizes].filter((one) => one === named);
  if (others.length > 0) {
    throw new MinirtError(
      'volume.failed',
      `medium: ${medium} can't be used if container requests multiple huge page sizes`,
    );
  }
  if (size !== undefined) return size;
  const why = 'hugePages storage requested, but there is no resource request for huge pages';
  throw new MinirtError('volume.failed', `medium ${medium}: ${why}`);
}

/** Bytes; a limit of 0 is none (pkg/volume/emptydir: calculateEmptyDirMemorySize). */
function limitOf({ sizeLimit = '0' }: EmptyDirVolume): number | undefined {
  const bytes = Number(divided(nanos(sizeLimit), '1'));
  return bytes === 0 ? undefined : bytes;
}

/** What in a pod has outgrown its limit on disk, in the kubelet's words; in memory the file system sees to it. */
export async function outgrown({ volumes }: Pod, home: VolumeHome, signal: AbortSignal): Promise<string | undefined> {
  for (const volume of volumes) {
    if (volume.kind !== 'emptyDir' || volume.medium !== '') continue;
    const limit = limitOf(volume);
    if (limit === undefined || (await bytesOnDisk(onDisk.folder(volume.name, home), signal)) <= limit) continue;
    return `Usage of EmptyDir volume "${volume.name}" exceeds the limit "${volume.sizeLimit ?? ''}". `;
  }
  return undefined;
}
