import type { MonoNs } from '../../src/base/clock.ts';
import type { ProbeName } from '../../src/manifest/pod.ts';
import type { ContainerEvent } from '../../src/pod/lifecycle.ts';
import type { ContainerState, HookName, PodRecord } from '../../src/pod/record.ts';
import type { PodEvent } from '../../src/pod/step.ts';
import type { ContainerScript, Happening, Ms, Script } from './script.ts';

/** What the simulated host may see of the simulation, and say to it. */
export interface Surroundings {
  readonly script: Script;
  readonly record: () => PodRecord;
  readonly now: () => MonoNs;
  readonly wall: () => string;
  /** Something of the world: it comes, whoever owns the pod. */
  readonly at: (at: MonoNs, act: () => void) => void;
  /** Something of the owner, after a while; it does not come when the owner dies first. */
  readonly later: (act: () => void) => void;
  readonly happened: (what: Unstamped) => void;
  readonly emit: (event: PodEvent) => void;
  readonly tell: (name: string, event: ContainerEvent) => void;
}

export type Unstamped = Happening extends infer T ? (T extends unknown ? Omit<T, 'at'> : never) : never;

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
