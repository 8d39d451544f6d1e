import type { RootFs } from '../../container/spec.ts';
import type { Owning, TmpfsOptions } from '../../helper/sandbox.ts';
import type { ObjectSource } from '../../manifest/objects.ts';
import type { Pod } from '../../manifest/pod.ts';
import type { Volume } from '../../manifest/volume.ts';
import type { Node } from '../../sys/node.ts';

/** Where a pod keeps what its volumes need. */
export interface VolumeHome {
  /** The pod's folder for what is bulky, removed with the pod. */
  readonly bulk: string;
  /** Folder of its volumes in memory, each a mount point of its own. */
  readonly memory: string;
  /** What the claims of its namespace hold, a folder each, kept as long as they are. */
  readonly claims: string;
}

/** Where containers find volumes. */
export interface VolumeSources extends VolumeHome {
  /** The layers of an image that is in the store. */
  readonly rootfs: (reference: string) => Promise<RootFs | undefined>;
}

/** What volumes are made from. */
export interface Preparing {
  readonly pod: Pod;
  readonly uid: string;
  readonly home: VolumeHome;
  readonly node: Node;
  readonly objects: ObjectSource;
  /** Mounts a tmpfs on a folder of the host, which is made; nothing when that has been done. */
  readonly mountTmpfs: (folder: string, how: TmpfsOptions) => Promise<void>;
  /** Gives a folder with all that is in it to a group. */
  readonly own: (folder: string, how: Owning) => Promise<void>;
}

/** How one kind of volume is made. */
export interface VolumeKind<K extends Volume['kind']> {
  /**
   * Makes it, for its pod and before any container. What is there already stays, but for files that are made from
   * something else, which are brought up to date. The pod's fsGroup has it before any container sees it.
   * @throws MinirtError volume.failed with the kubelet's text of what is wrong; it is tried again later
   */
  prepare(volume: Extract<Volume, { kind: K }>, preparing: Preparing): Promise<void>;
  /** What a container that is about to start mounts: a path on the host, or the layers of an image. */
  source(volume: Extract<Volume, { kind: K }>, from: VolumeSources): Promise<string | RootFs>;
  /** Whether no container may write to it, whatever its mounts say; missing: they decide. */
  isReadOnly?(volume: Extract<Volume, { kind: K }>): boolean;
}
