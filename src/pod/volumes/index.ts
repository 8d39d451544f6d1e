import { messageOf } from '../../base/errors.ts';
import type { Mount } from '../../container/spec.ts';
import type { Container, Pod } from '../../manifest/pod.ts';
import type { Volume, VolumeMount } from '../../manifest/volume.ts';
import type { VolumeFailure } from '../step.ts';
import { emptyDir } from './empty-dir.ts';
import { hostPath } from './host-path.ts';
import type { VolumeHome, VolumeKind } from './kind.ts';

const kinds: { readonly [K in Volume['kind']]: VolumeKind<K> } = { emptyDir, hostPath };

/** What is done about a volume, whatever its kind. */
function kindOf<K extends Volume['kind']>({ kind }: Volume & { readonly kind: K }): VolumeKind<K> {
  return kinds[kind];
}

/** Makes all volumes of a pod ready for its containers, each on its own; answers those that cannot be. Again is no error. */
export async function prepareVolumes(pod: Pod, home: VolumeHome): Promise<readonly VolumeFailure[]> {
  const failures: VolumeFailure[] = [];
  for (const volume of pod.volumes) {
    try {
      await kindOf(volume).prepare(volume, home);
    } catch (error) {
      failures.push({ volume: volume.name, message: messageOf(error) });
    }
  }
  return failures;
}

/** What a container that is about to start mounts of its pod's volumes, as its manifest lists it. */
export async function volumeMounts(pod: Pod, container: Container, home: VolumeHome): Promise<readonly Mount[]> {
  const mounts: Mount[] = [];
  for (const mount of container.volumeMounts) {
    const volume = pod.volumes.find(({ name }) => name === mount.name);
    if (volume !== undefined) mounts.push(bind(await kindOf(volume).source(volume, home), mount));
  }
  return mounts;
}

/** With what is mounted beneath it, as containerd does; `ro` is about the volume itself alone. */
function bind(source: string, { mountPath, readOnly }: VolumeMount): Mount {
  return { kind: 'bind', source, target: mountPath, flags: ['rec', ...(readOnly ? ['ro' as const] : []), 'rprivate'] };
}
