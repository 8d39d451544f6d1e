import type { Volume } from '../../manifest/pod.ts';

/** Where a pod keeps what its volumes need. */
export interface VolumeHome {
  /** The pod's folder for what is bulky, removed with the pod. */
  readonly bulk: string;
}

/** How one kind of volume is made. */
export interface VolumeKind<K extends Volume['kind']> {
  /** What is mounted into containers: a path on the host, there once it is prepared. */
  path(volume: Extract<Volume, { kind: K }>, home: VolumeHome): string;
  /** Makes it, once for its pod and before any container; what is there already stays as it is. */
  prepare(volume: Extract<Volume, { kind: K }>, home: VolumeHome): Promise<void>;
}
