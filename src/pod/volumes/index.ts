import { messageOf } from '../../base/errors.ts';
import type { Mount } from '../../container/spec.ts';
import type { Container, EnvVar, Pod } from '../../manifest/pod.ts';
import type { Volume } from '../../manifest/volume.ts';
import type { VolumeFailure } from '../step.ts';
import { emptyDir } from './empty-dir.ts';
import { hostPath } from './host-path.ts';
import type { VolumeHome, VolumeKind } from './kind.ts';
import { bindOf, checkPropagation } from './mount.ts';

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

/** A container that is about to start. */
export interface Mounting {
  readonly pod: Pod;
  readonly container: Container;
  readonly home: VolumeHome;
  /** The variables that the manifest declares. */
  readonly env: readonly EnvVar[];
}

/**
 * What a container mounts of its pod's volumes, as its manifest lists it.
 * @throws MinirtError volume.failed for what its manifest cannot have, host.unsupported for what the host cannot do
 */
export async function volumeMounts({ pod, container, home, env }: Mounting): Promise<readonly Mount[]> {
  const mounts: Mount[] = [];
  for (const mount of container.volumeMounts) {
    const volume = pod.volumes.find(({ name }) => name === mount.name);
    if (volume === undefined) continue;
    const source = await kindOf(volume).source(volume, home);
    await checkPropagation(mount, source);
    mounts.push(bindOf(mount, source, env));
  }
  return mounts;
}
