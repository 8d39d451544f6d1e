import { SECOND } from '../../base/clock.ts';
import { isMinirtError, messageOf } from '../../base/errors.ts';
import type { Image } from '../../image/store.ts';
import type { Container, Pod, PullPolicy } from '../../manifest/pod.ts';
import type { EngineView } from '../engine.ts';
import type { Note } from '../journal-entry.ts';
import type { ContainerEvent } from '../lifecycle.ts';
import { eventOf } from '../notes.ts';
import { pulledText } from '../pulling.ts';
import type { PodHostPorts } from './host.ts';
import { pullSecrets, whilePodLives } from './pulls.ts';

/** What no back-off is kept for is looked at again after this long. */
const RETRY = 10n * SECOND;
/** A pull that failed is shown as one that waits from the kubelet's next look on. */
const NEXT_LOOK = SECOND;

type CreateFailed = Extract<ContainerEvent, { kind: 'createFailed' }>;
type Ensured =
  | { readonly kind: 'ready'; readonly image: Image; readonly event: Extract<ContainerEvent, { kind: 'imageReady' }> }
  | { readonly kind: 'missing'; readonly event: CreateFailed };

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

/** Finds an image in the store, or brings it from its registry, as its pull policy says (pkg/kubelet/images: EnsureImageExists). */
export async function ensureImage(ports: PodHostPorts, engine: EngineView, wanted: Wanted): Promise<Ensured> {
  const { reference, policy, policyWritten } = wanted;
  const mustPull = policy === 'Always' && policyWritten;
  let image: Image | undefined;
  try {
    image = await ports.images.find(reference);
  } catch (error) {
    if (!isMinirtError(error, 'reference.invalid')) throw error;
    const message = `Failed to apply default image tag "${reference}": ${messageOf(error)}`;
    return missing(ports, 'InvalidImageName', message, { reason: 'InspectFailed', message });
  }
  if (image === undefined && policy === 'Never') {
    const message = `Container image "${reference}" is not present with pull policy of Never`;
    return missing(ports, 'ErrImageNeverPull', message, { reason: 'ErrImageNeverPull', message });
  }
  if (image === undefined || mustPull) return pull(ports, engine, { ...wanted, mustPull });
  if (policy === 'Always') {
    const text = `uses image ${reference} as it is here, without asking a registry`;
    engine.note({ kind: 'note', container: wanted.container, text });
  }
  return ready(wanted, image, presentText(reference));
}

async function pull(
  ports: PodHostPorts,
  engine: EngineView,
  wanted: Wanted & { readonly mustPull: boolean },
): Promise<Ensured> {
  const { clock, images, pulls } = ports;
  const { container, reference, mustPull } = wanted;
  const asked = clock.now();
  try {
    return await whilePodLives(ports, engine, (signal) =>
      pulls.inTurn(signal, async () => {
        // Another container may have brought it meanwhile.
        const found = mustPull ? undefined : await images.find(reference);
        if (found !== undefined) return ready(wanted, found, presentText(reference));
        const { credentials, missing: lacking } = await pullSecrets(ports, engine.pod);
        if (lacking.length > 0) engine.note(unretrieved(lacking));
        engine.note(eventOf(container, 'Normal', 'Pulling', `Pulling image "${reference}"`));
        const began = clock.now();
        const image = await images.pull(reference, signal, { credentials });
        const now = clock.now();
        return ready(wanted, image, pulledText(reference, now - began, now - asked, image.size));
      }),
    );
  } catch (error) {
    if (engine.record.termination !== undefined || ports.signal.aborted) return givenUp(ports);
    return failed(ports, engine, { reference, why: messageOf(error) });
  }
}

function ready({ reference, stopSignal }: Wanted, image: Image, message: string): Ensured {
  return {
    kind: 'ready',
    image,
    event: {
      kind: 'imageReady',
      image: { name: image.names[0] ?? reference, id: image.id },
      stopSignal: stopSignal ?? image.config.stopSignal,
      message,
    },
  };
}

function missing(
  { clock }: PodHostPorts,
  reason: string,
  message: string,
  first: { readonly reason: string; readonly message: string },
): Ensured {
  const events = [first, { reason: 'Failed', message: `Error: ${reason}` }];
  return { kind: 'missing', event: { kind: 'createFailed', reason, message, retryAt: clock.now() + RETRY, events } };
}

/** The pod is being ended, or its owner lets go of it: nothing failed. */
function givenUp({ clock }: PodHostPorts): Ensured {
  const message = 'its image was no longer wanted';
  const event: CreateFailed = {
    kind: 'createFailed',
    reason: 'ContainerCreating',
    message,
    retryAt: clock.now(),
    events: [],
  };
  return { kind: 'missing', event };
}

function failed(
  { clock, pulls }: PodHostPorts,
  { record }: EngineView,
  { reference, why }: { readonly reference: string; readonly why: string },
): Ensured {
  const now = clock.now();
  const { delay } = pulls.failed(record, reference, now);
  const message = `Failed to pull image "${reference}": ${why}`;
  const waits = `Back-off pulling image "${reference}"`;
  const event: CreateFailed = {
    kind: 'createFailed',
    reason: 'ErrImagePull',
    message: why,
    retryAt: now + BigInt(delay) * SECOND,
    events: [
      { reason: 'Failed', message },
      { reason: 'Failed', message: 'Error: ErrImagePull' },
    ],
    pullBackOff: { at: now + NEXT_LOOK, message: `${waits}: ErrImagePull: ${why}`, event: waits },
  };
  return { kind: 'missing', event };
}

function presentText(reference: string): string {
  return `Container image "${reference}" already present on machine and can be accessed by the pod`;
}

/** The kubelet tries all the same (pkg/kubelet/kubelet_pods.go: getPullSecretsForPod). */
function unretrieved(names: readonly string[]): Note {
  const message = `Unable to retrieve some image pull secrets (${names.join(', ')}); attempting to pull the image may not succeed.`;
  return { kind: 'event', type: 'Warning', reason: 'FailedToRetrieveImagePullSecret', message };
}
