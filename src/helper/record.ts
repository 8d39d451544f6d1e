/**
 * What a monitor wrote about its container's life: the lines of its record file and of its `watch` stream.
 * See docs/helper-protocol.md.
 */
export interface Stamp {
  /** CLOCK_MONOTONIC, ns. */
  readonly t: bigint;
  /** Unix time, ms. */
  readonly wall: number;
}

export type Stage =
  | 'plan'
  | 'cgroup'
  | 'namespaces'
  | 'rootfs'
  | 'mounts'
  | 'devices'
  | 'credentials'
  | 'seccomp'
  | 'terminal'
  | 'exec'
  | 'control'
  | 'log'
  | 'unpack'
  | 'subpath';

export type MonitorRecord = Stamp &
  (
    | { readonly event: 'created'; readonly pid: number }
    | { readonly event: 'started' }
    | { readonly event: 'failed'; readonly stage: Stage; readonly errno: number; readonly what: string }
    | {
        readonly event: 'signal';
        readonly signal: number;
        readonly why: 'stop' | 'signal' | 'kill' | 'deadline';
        readonly ok: boolean;
      }
    | { readonly event: 'exited'; readonly code: number }
    | { readonly event: 'exited'; readonly signal: number }
    | { readonly event: 'log-lost'; readonly bytes: number }
  );
