import type { Volume } from '../../manifest/volume.ts';

/** Where a pod keeps what its volumes need. */
export interface VolumeHome {
  /** The pod's folder for what is bulky, removed with the pod. */
  readonly bulk: string;
}

/** How one kind of volume is made. */
export interface VolumeKind<K extends Volume['kind']> {
  /**
   * Makes it, for its pod and before any container; what is there already stays as it is.
   * @throws MinirtError volume.failed with the kubelet's text of what is wrong; it is tried again later
   */
  prepare(volume: Extract<Volume, { kind: K }>, home: VolumeHome): Promise<void>;
  /** What a container that is about to start mounts: a path on the host. */
  source(volume: Extract<Volume, { kind: K }>, home: VolumeHome): Promise<string>;
}
