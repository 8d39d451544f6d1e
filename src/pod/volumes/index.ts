import type { Mount } from '../../container/spec.ts';
import type { Container, Pod, Volume } from '../../manifest/pod.ts';
import { emptyDir } from './empty-dir.ts';
import type { VolumeHome, VolumeKind } from './kind.ts';

const kinds: { readonly [K in Volume['kind']]: VolumeKind<K> } = { emptyDir };

/** Makes all volumes of a pod ready for its containers; again is no error. */
export async function prepareVolumes(pod: Pod, home: VolumeHome): Promise<void> {
  for (const volume of pod.volumes) await kinds[volume.kind].prepare(volume, home);
}

/** What a container mounts of its pod's volumes, as its manifest lists it. Pure. */
export function volumeMounts(pod: Pod, container: Container, home: VolumeHome): readonly Mount[] {
  return container.volumeMounts.flatMap(({ name, mountPath, readOnly }): readonly Mount[] => {
    const volume = pod.volumes.find((one) => one.name === name);
    if (volume === undefined) return [];
    const source = kinds[volume.kind].path(volume, home);
    return [{ kind: 'bind', source, target: mountPath, flags: readOnly ? ['ro', 'rprivate'] : ['rprivate'] }];
  });
}
