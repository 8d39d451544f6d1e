/** Volumes of a pod past the border, the one-of made a tag; and how containers mount them. */

export type Volume = EmptyDirVolume | HostPathVolume;

interface Named {
  readonly name: string;
}

export interface EmptyDirVolume extends Named {
  readonly kind: 'emptyDir';
}

/** What must be at a hostPath; empty: whatever is there. */
export type HostPathType =
  '' | 'DirectoryOrCreate' | 'Directory' | 'FileOrCreate' | 'File' | 'Socket' | 'CharDevice' | 'BlockDevice';

export interface HostPathVolume extends Named {
  readonly kind: 'hostPath';
  /** As it is written, but absolute. */
  readonly path: string;
  readonly type: HostPathType;
}

export interface VolumeMount {
  /** Of the volume. */
  readonly name: string;
  readonly mountPath: string;
  readonly readOnly: boolean;
  /** Read-only with all that is mounted below it. */
  readonly recursiveReadOnly: boolean;
  readonly propagation: MountPropagation;
  /** The part of the volume that is mounted; undefined: all of it. */
  readonly subPath: string | undefined;
  /** The same, with variables of the container's environment. */
  readonly subPathExpr: string | undefined;
}

/** Whether mounts that are made later below the volume reach the container, and its own the host. */
export type MountPropagation = 'None' | 'HostToContainer' | 'Bidirectional';
