/** Volumes of a pod past the border, the one-of made a tag; and how containers mount them. */

export type PullPolicy = 'Always' | 'IfNotPresent' | 'Never';

export type Volume = EmptyDirVolume | HostPathVolume | ClaimVolume | ContentVolume | ImageVolume;

interface Named {
  readonly name: string;
}

export interface EmptyDirVolume extends Named {
  readonly kind: 'emptyDir';
  /** Empty: the disk; `Memory`, `HugePages`, or `HugePages-2Mi` for a size of pages. */
  readonly medium: string;
  /** A quantity of bytes. */
  readonly sizeLimit: string | undefined;
}

/** What a PersistentVolumeClaim of the pod's namespace holds. */
export interface ClaimVolume extends Named {
  readonly kind: 'persistentVolumeClaim';
  readonly claim: string;
  readonly readOnly: boolean;
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

/** What is in an image. */
export interface ImageVolume extends Named {
  readonly kind: 'image';
  readonly reference: string;
  readonly pullPolicy: PullPolicy;
  /** False for an Always that was only defaulted. */
  readonly pullPolicyWritten: boolean;
}

/** Files that are made from something else; those of the first three kinds have one source, of that kind. */
export interface ContentVolume extends Named {
  readonly kind: 'configMap' | 'secret' | 'downwardAPI' | 'projected';
  readonly sources: readonly Projection[];
  /** Of files that have none of their own. */
  readonly defaultMode: number;
}

export type Projection = ObjectProjection | DownwardProjection;

export interface ObjectProjection {
  readonly kind: 'configMap' | 'secret';
  readonly object: string;
  /** Empty: every key, as a file of that name. */
  readonly items: readonly KeyToPath[];
  readonly optional: boolean;
}

export interface KeyToPath {
  readonly key: string;
  readonly path: string;
  readonly mode: number | undefined;
}

export interface DownwardProjection {
  readonly kind: 'downwardAPI';
  readonly items: readonly DownwardFile[];
}

export interface DownwardFile {
  readonly path: string;
  readonly mode: number | undefined;
  readonly from:
    | { readonly kind: 'field'; readonly path: string }
    | { readonly kind: 'resource'; readonly container: string; readonly resource: string; readonly divisor: string };
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
