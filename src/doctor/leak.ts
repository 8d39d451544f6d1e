export type LeakKind = 'mount' | 'cgroup' | 'netns' | 'link' | 'address' | 'process' | 'socket' | 'file';

/** Something of minirt's on the host that belongs to no pod any more. */
export interface Leak {
  readonly kind: LeakKind;
  /** Its name: a path, a device, an address, a pid. */
  readonly what: string;
  /** The pod it was made for, as far as that can be told. */
  readonly pod: string | undefined;
  /** Why it counts as left behind. */
  readonly detail: string;
  /** For a process: its start time, without which a pid names nobody. */
  readonly start?: string;
}
