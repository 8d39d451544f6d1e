import { messageOf } from '../../base/errors.ts';
import type { Mount } from '../../container/spec.ts';
import type { Container, EnvVar, Pod } from '../../manifest/pod.ts';
import type { Volume } from '../../manifest/volume.ts';
import type { VolumeFailure } from '../step.ts';
import { contentKinds } from './content.ts';
import { emptyDir } from './empty-dir.ts';
import { hostPath } from './host-path.ts';
import { image } from './image.ts';
import type { Preparing, VolumeKind, VolumeSources } from './kind.ts';
import { persistentVolumeClaim } from './claim.ts';
import { bindOf, checkPropagation } from './mount.ts';

const kinds: { readonly [K in Volume['kind']]: VolumeKind<K> } = {
  emptyDir,
  hostPath,
  image,
  persistentVolumeClaim,
  ...contentKinds,
};

/** What is done about a volume, whatever its kind. */
function kindOf<K extends Volume['kind']>({ kind }: Volume & { readonly kind: K }): VolumeKind<K> {
  return kinds[kind];
}

/** Makes all volumes of a pod ready for its containers, each on its own; answers those that cannot be. Again is no error. */
export async function prepareVolumes(preparing: Preparing): Promise<readonly VolumeFailure[]> {
  const failures: VolumeFailure[] = [];
  for (const volume of preparing.pod.volumes) {
    const failure = await prepareVolume(volume, preparing);
    if (failure !== undefined) failures.push(failure);
  }
  return failures;
}

/** Makes one volume ready, or brings it up to date; answers why it cannot be. */
export async function prepareVolume(volume: Volume, preparing: Preparing): Promise<VolumeFailure | undefined> {
  try {
    await kindOf(volume).prepare(volume, preparing);
    return undefined;
  } catch (error) {
    return { volume: volume.name, message: messageOf(error) };
  }
}

/** A container that is about to start. */
export interface Mounting {
  readonly pod: Pod;
  readonly container: Container;
  readonly sources: VolumeSources;
  /** The variables that the manifest declares. */
  readonly env: readonly EnvVar[];
}

/**
 * What a container mounts of its pod's volumes, as its manifest lists it.
 * @throws MinirtError volume.failed for what its manifest cannot have, host.unsupported for what the host cannot do
 */
export async function volumeMounts({ pod, container, sources, env }: Mounting): Promise<readonly Mount[]> {
  const mounts: Mount[] = [];
  for (const mount of container.volumeMounts) {
    const volume = pod.volumes.find(({ name }) => name === mount.name);
    if (volume === undefined) continue;
    const kind = kindOf(volume);
    const source = await kind.source(volume, sources);
    if (typeof source === 'string') await checkPropagation(mount, source);
    mounts.push(bindOf({ ...mount, readOnly: mount.readOnly || kind.isReadOnly?.(volume) === true }, source, env));
  }
  return mounts;
}
