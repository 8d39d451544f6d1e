import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { Cgroups } from '../../container/cgroup.ts';
import type { ImageStore } from '../../image/store.ts';
import type { ObjectSource } from '../../manifest/objects.ts';
import type { Roots } from '../../state/paths.ts';
import type { Pulls } from './pulls.ts';

/** What all pods of one owner share. */
export interface PodHostPorts {
  readonly roots: Roots;
  readonly clock: Clock;
  readonly log: Logger;
  readonly images: ImageStore;
  readonly cgroups: Cgroups;
  readonly objects: ObjectSource;
  readonly pulls: Pulls;
  /** Aborted when the owner lets go of its pods. */
  readonly signal: AbortSignal;
}
