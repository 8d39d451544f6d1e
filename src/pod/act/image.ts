import { SECOND } from '../../base/clock.ts';
import { isMinirtError, messageOf } from '../../base/errors.ts';
import type { Image } from '../../image/store.ts';
import type { Container } from '../../manifest/pod.ts';
import type { EngineView } from '../engine.ts';
import type { ContainerEvent } from '../lifecycle.ts';
import type { PodHostPorts } from './host.ts';

const FIRST_RETRY_SECONDS = 10n;

type Ensured =
  | { readonly kind: 'ready'; readonly image: Image; readonly event: Extract<ContainerEvent, { kind: 'imageReady' }> }
  | { readonly kind: 'missing'; readonly event: Extract<ContainerEvent, { kind: 'createFailed' }> };

/** Finds a container's image in the store; there is no registry yet, so one that is not there cannot be pulled. */
export async function ensureImage(ports: PodHostPorts, engine: EngineView, container: Container): Promise<Ensured> {
  const reference = container.image;
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
  if (image === undefined && container.imagePullPolicy === 'Never') {
    const message = `Container image "${reference}" is not present with pull policy of Never`;
    return missing('ErrImageNeverPull', message, { reason: 'ErrImageNeverPull', message });
  }
  const mustPull = container.imagePullPolicy === 'Always' && container.imagePullPolicyWritten;
  if (image === undefined || mustPull) {
    const why = mustPull
      ? 'imagePullPolicy Always asks a registry, and minirt cannot pull yet: write IfNotPresent to use what is loaded'
      : 'it is not in the store, and minirt cannot pull yet: bring it with `minirt load`';
    const message = `Failed to pull image "${reference}": ${why}`;
    return missing('ErrImagePull', message, { reason: 'Failed', message });
  }
  const present = `Container image "${reference}" already present on machine and can be accessed by the pod`;
  if (container.imagePullPolicy === 'Always') {
    engine.note({
      kind: 'note',
      container: container.name,
      text: `uses image ${reference} as it is here, without asking a registry`,
    });
  }
  return {
    kind: 'ready',
    image,
    event: {
      kind: 'imageReady',
      image: { name: image.names[0] ?? reference, id: image.id },
      stopSignal: container.stopSignal ?? image.config.stopSignal,
      message: present,
    },
  };
}
