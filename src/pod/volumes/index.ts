import type { Mount } from '../../container/spec.ts';
import type { Container, Pod, Volume } from '../../manifest/pod.ts';
import { prepareEmptyDir } from './empty-dir.ts';

/** What a volume may need of its pod. */
export interface VolumeHome {
  /** The pod's folder for what is bulky, removed with the pod. */
  readonly bulk: string;
}

/** Makes a volume ready to be mounted, unless it is; answers its path on the host. */
function prepare(volume: Volume, home: VolumeHome): Promise<string> {
  switch (volume.kind) {
    case 'emptyDir':
      return prepareEmptyDir(home.bulk, volume.name);
    default:
      return volume.kind satisfies never;
  }
}

/** The mounts of a container's volumes, outer ones first. */
export async function volumeMounts(pod: Pod, container: Container, home: VolumeHome): Promise<readonly Mount[]> {
  const mounts: Mount[] = [];
  // By length a folder comes before what is mounted within it.
  for (const mount of container.volumeMounts.toSorted((a, b) => a.mountPath.length - b.mountPath.length)) {
    const volume = pod.volumes.find(({ name }) => name === mount.name);
    if (volume === undefined) continue;
    const source = await prepare(volume, home);
    mounts.push({
      kind: 'bind',
      source,
      target: mount.mountPath,
      flags: mount.readOnly ? ['ro', 'rprivate'] : ['rprivate'],
    });
  }
  return mounts;
}
