/**
 * One container in Linux and OCI terms: what `container/` needs to run it. Knows nothing of Kubernetes.
 */

/** One filesystem on one place: where `image/`, volumes and `container/` meet. */
export type Mount =
  | {
      readonly kind: 'bind';
      readonly source: string;
      /** Only what this relative path leads to beneath `source`; made when it is missing. */
      readonly part?: string;
      readonly target: string;
      readonly flags: readonly MountFlag[];
    }
  | {
      /** Layers of another image, which nobody can write to. */
      readonly kind: 'layers';
      readonly rootfs: RootFs;
      /** Only the directory that this path leads to within them. */
      readonly part?: string;
      readonly target: string;
      readonly flags: readonly MountFlag[];
    }
  | {
      readonly kind: 'filesystem';
      readonly type: string;
      readonly source: string;
      readonly target: string;
      readonly flags: readonly MountFlag[];
      readonly data: string;
    };

/** `ro` is about the mount itself, `rro` also about those below it. */
export type MountFlag =
  'ro' | 'rro' | 'nosuid' | 'nodev' | 'noexec' | 'relatime' | 'rec' | 'rprivate' | 'rslave' | 'rshared';

/** A root filesystem: an image's layers as overlayfs wants them, top first, each at most 16 characters below `store`. */
export interface RootFs {
  readonly store: string;
  readonly layers: readonly string[];
}

/** Ids of the host that a pod has for its own: inside they are 0 to `count` - 1. */
export interface IdRange {
  readonly first: number;
  readonly count: number;
}

/** A user in numbers, with what the image's own files say about it. */
export interface Credentials {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  /** From /etc/passwd, else `/`. */
  readonly home: string;
}

export interface ProcessSpec {
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly user: Credentials;
  /** Whose user namespace it is in, which `Namespaces.user` keeps; missing: the host's. */
  readonly users?: IdRange;
  /** Names with CAP_; bounding, and effective and permitted for uid 0. Inheritable and ambient are empty. */
  readonly capabilities: readonly string[];
  readonly noNewPrivileges: boolean;
  /** Path of a compiled BPF filter. */
  readonly seccomp: string | undefined;
  /** Name of a loaded profile. */
  readonly appArmor?: string;
  /** Who goes first when memory runs out, -1000 to 1000; left alone where the host does not let minirt lower it. */
  readonly oomScoreAdj?: number;
  readonly terminal: boolean;
  readonly stdin: boolean;
}

export interface Namespaces {
  /** nsfs files to join. */
  readonly net: string | 'host';
  readonly ipc: string | 'host';
  readonly uts: string | 'host';
  /** Missing: that of the host. */
  readonly user?: string;
  /** Missing: one of its own. */
  readonly pid?: string;
}

export interface DeviceNode {
  /** Below /dev. */
  readonly path: string;
  readonly type: 'c' | 'b';
  readonly major: number;
  readonly minor: number;
  /** Permission bits. */
  readonly mode: number;
}

export interface ContainerSpec {
  /** 64 hex digits, new for every run. */
  readonly id: string;
  /** Uid of the pod; said in the monitor's hello. */
  readonly owner: string;
  readonly rootfs: RootFs;
  readonly readonlyRootfs: boolean;
  readonly mounts: readonly Mount[];
  readonly namespaces: Namespaces;
  /** Nothing of /proc is hidden or read-only. */
  readonly unmasked?: boolean;
  /** Nothing of /proc and /sys is hidden or read-only. What may be opened of devices is the cgroup's business. */
  readonly privileged?: boolean;
  /** Device nodes beside the usual ones. */
  readonly devices?: readonly DeviceNode[];
  readonly process: ProcessSpec;
  /** Absolute path of the CRI log. */
  readonly log: string;
}
