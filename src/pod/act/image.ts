import { SECOND } from '../../base/clock.ts';
import { isMinirtError, messageOf } from '../../base/errors.ts';
import type { Image } from '../../image/store.ts';
import type { Container, Pod, PullPolicy } from '../../manifest/pod.ts';
import type { EngineView } from '../engine.ts';
import type { ContainerEvent } from '../lifecycle.ts';
import type { PodHostPorts } from './host.ts';

const FIRST_RETRY_SECONDS = 10n;

type Ensured =
  | { readonly kind: 'ready'; readonly image: Image; readonly event: Extract<ContainerEvent, { kind: 'imageReady' }> }
  | { readonly kind: 'missing'; readonly event: Extract<ContainerEvent, { kind: 'createFailed' }> };

/** An image that a container needs: its own, or that of a volume it mounts. */
export interface Wanted {
  /** The container's name. */
  readonly container: string;
  readonly reference: string;
  readonly policy: PullPolicy;
  /** False for an Always that was only defaulted. */
  readonly policyWritten: boolean;
  readonly stopSignal: string | undefined;
}

/** A container's own image. */
export function ownImage(container: Container): Wanted {
  const {
    name,
    image: reference,
    imagePullPolicy: policy,
    imagePullPolicyWritten: policyWritten,
    stopSignal,
  } = container;
  return { container: name, reference, policy, policyWritten, stopSignal };
}

/** The images of the volumes that a container mounts, each once. */
export function volumeImages({ volumes }: Pod, { name, volumeMounts }: Container): readonly Wanted[] {
  const mounted = new Set(volumeMounts.map((mount) => mount.name));
  return volumes.flatMap((volume) => {
    if (volume.kind !== 'image' || !mounted.has(volume.name)) return [];
    const { reference, pullPolicy: policy, pullPolicyWritten: policyWritten } = volume;
    return [{ container: name, reference, policy, policyWritten, stopSignal: undefined }];
  });
}

/** Finds an image in the store; there is no registry yet, so one that is not there cannot be pulled. */
export async function ensureImage(ports: PodHostPorts, engine: EngineView, wanted: Wanted): Promise<Ensured> {
  const { reference, policy, policyWritten } = wanted;
  const retryAt = ports.clock.now() + FIRST_RETRY_SECONDS * SECOND;
  const missing = (reason: string, message: string, first: { reason: string; message: string }): Ensured => ({
    kind: 'missing',
    event: {
      kind: 'createFailed',
      reason,
      message,
      retryAt,
      events: [first, { reason: 'Failed', message: `Error: ${reason}` }],
    },
  });
  let image: Image | undefined;
  try {
    image = await ports.images.find(reference);
  } catch (error) {
    if (!isMinirtError(error, 'reference.invalid')) throw error;
    const message = `Failed to apply default image tag "${reference}": ${messageOf(error)}`;
    return missing('InvalidImageName', message, { reason: 'InspectFailed', message });
  }
  if (image === undefined && policy === 'Never') {
    const message = `Container image "${reference}" is not present with pull policy of Never`;
    return missing('ErrImageNeverPull', message, { reason: 'ErrImageNeverPull', message });
  }
  const mustPull = policy === 'Always' && policyWritten;
  if (image === undefined || mustPull) {
    const why = mustPull
      ? 'imagePullPolicy Always asks a registry, and minirt cannot pull yet: write IfNotPresent to use what is loaded'
      : 'it is not in the store, and minirt cannot pull yet: bring it with `minirt load`';
    const message = `Failed to pull image "${reference}": ${why}`;
    return missing('ErrImagePull', message, { reason: 'Failed', message });
  }
  const present = `Container image "${reference}" already present on machine and can be accessed by the pod`;
  if (policy === 'Always') {
    engine.note({
      kind: 'note',
      container: wanted.container,
      text: `uses image ${reference} as it is here, without asking a registry`,
    });
  }
  return {
    kind: 'ready',
    image,
    event: {
      kind: 'imageReady',
      image: { name: image.names[0] ?? reference, id: image.id },
      stopSignal: wanted.stopSignal ?? image.config.stopSignal,
      message: present,
    },
  };
}
