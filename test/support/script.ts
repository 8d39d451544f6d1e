import type { MonoNs } from '../../src/base/clock.ts';
import type { Pod, ProbeName } from '../../src/manifest/pod.ts';
import type { Note, ProbeOutcome } from '../../src/pod/journal-entry.ts';
import type { Action, Plan } from '../../src/pod/plan.ts';
import type { HookName, PodRecord } from '../../src/pod/record.ts';
import type { StopRequest } from '../../src/pod/stop.ts';

/** Milliseconds. */
export type Ms = number;

export interface HookScript {
  readonly takes: Ms;
  readonly ok: boolean;
}

/** How the containers of one name behave. Lists are gone through instance by instance, over and over. */
export interface ContainerScript {
  /** When an instance ends by itself, counted from its start; undefined: never. */
  readonly lives: readonly { readonly after: Ms | undefined; readonly code: number }[];
  /** What the stop signal does. */
  readonly onSignal: { readonly after: Ms; readonly code: number } | 'deaf';
  readonly postStart: readonly HookScript[];
  readonly preStop: HookScript;
  /** The first so many attempts to create an instance fail. */
  readonly createFailures: number;
  /** Instances whose process cannot be executed. */
  readonly startFails: readonly boolean[];
  /** What the tries of its probes say, one after another, over and over; each takes so long. */
  readonly probes: Readonly<Record<ProbeName, readonly ProbeOutcome[]>>;
  readonly probeTakes: Ms;
}

export interface Script {
  readonly pod: Pod;
  readonly containers: readonly ContainerScript[];
  readonly sandboxFailures: number;
  readonly requests: readonly { readonly at: Ms; readonly request: StopRequest }[];
  /** How long the world takes to answer, gone through over and over. */
  readonly delays: readonly Ms[];
  /** Whether the n-th event is told a second time, late. */
  readonly echoes: readonly boolean[];
  /** Whether the record goes through its file after every event. */
  readonly reload: boolean;
  /** When the owner is killed and another one takes the pod. */
  readonly crashes: readonly Ms[];
  readonly until: Ms;
}

/** What happened in the world, as an outsider would have seen it. */
export type Happening = { readonly at: MonoNs } & (
  | { readonly kind: 'create'; readonly name: string; readonly id: string }
  | { readonly kind: 'born'; readonly name: string; readonly id: string }
  | { readonly kind: 'dead'; readonly name: string; readonly id: string; readonly code: number; readonly own: boolean }
  | { readonly kind: 'hook'; readonly name: string; readonly id: string; readonly hook: HookName }
  | {
      readonly kind: 'hookOver';
      readonly name: string;
      readonly id: string;
      readonly hook: HookName;
      readonly ok: boolean;
    }
  | { readonly kind: 'probe'; readonly name: string; readonly id: string; readonly probe: ProbeName }
  | { readonly kind: 'signal'; readonly name: string; readonly id: string; readonly killAt: MonoNs }
  | { readonly kind: 'sandbox' }
  | { readonly kind: 'teardown' }
  /** The rules asked for it; the world has not begun. */
  | { readonly kind: 'asked'; readonly action: Action }
  | { readonly kind: 'request'; readonly request: StopRequest }
  | { readonly kind: 'note'; readonly note: Note }
);

export interface Outcome {
  readonly record: PodRecord;
  readonly happenings: readonly Happening[];
  readonly lastPlan: Plan;
}
