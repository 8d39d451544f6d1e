import type { MonoNs } from '../../src/base/clock.ts';
import type { ProbeName } from '../../src/manifest/pod.ts';
import type { ContainerState, HookName } from '../../src/pod/record.ts';
import type { ContainerScript, Ms } from './script.ts';

interface HookOfInstance {
  readonly over: { ok: boolean; cut: boolean } | undefined;
}

/** One life of a simulated container. */
export interface Instance {
  readonly name: string;
  readonly id: string;
  readonly script: ContainerScript;
  readonly number: number;
  exit: { readonly code: number; readonly mono: MonoNs; readonly wall: string } | undefined;
  readonly hooks: Map<HookName, HookOfInstance>;
  /** How often each probe was tried. */
  readonly probes: Map<ProbeName, number>;
}

/** The instance that a state says is there. */
export function liveId(state: ContainerState): string | undefined {
  return 'id' in state ? state.id : undefined;
}

export function ns(ms: Ms): MonoNs {
  return BigInt(ms) * 1_000_000n;
}

/** An endless list. */
export function pick<T>(list: readonly T[], index: number): T | undefined {
  return list.length === 0 ? undefined : list[index % list.length];
}
