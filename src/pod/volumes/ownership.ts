import type { Preparing } from './kind.ts';

export interface Access {
  /** Whether containers only read it. */
  readonly readOnly?: boolean;
  /** Whether it may be right already, and is then left alone where the pod asks for that: claims only. */
  readonly kept?: boolean;
}

/** Gives a volume to the pod's fsGroup, if that has one (pkg/volume: SetVolumeOwnership). */
export async function giveToGroup(folder: string, { pod, own }: Preparing, access: Access = {}): Promise<void> {
  const { fsGroup, fsGroupOnMismatchOnly } = pod.security;
  const { readOnly = false, kept = false } = access;
  if (fsGroup === undefined) return;
  await own(folder, { group: fsGroup, readOnly, onMismatch: kept && fsGroupOnMismatchOnly });
}
