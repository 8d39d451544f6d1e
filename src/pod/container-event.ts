import type { MonoNs } from '../base/clock.ts';
import type { Container, Pod, ProbeName } from '../manifest/pod.ts';
import type { Note, ProbeOutcome } from './journal-entry.ts';
import type { Because, ContainerRecord, HookName, PodRecord, ProcessUser, PullBackOff } from './record.ts';

/** What can happen to one container; `id` names the instance where a late message could be about an earlier one. */
export type ContainerEvent =
  | { readonly kind: 'create'; readonly id: string }
  | {
      readonly kind: 'imageReady';
      readonly image: { readonly name: string; readonly id: string };
      readonly stopSignal: string | undefined;
      readonly message: string;
    }
  | {
      readonly kind: 'createFailed';
      readonly reason: string;
      readonly message: string;
      readonly retryAt: MonoNs;
      /** Events beside the usual `Error: …`, such as ErrImageNeverPull. */
      readonly events: readonly { readonly reason: string; readonly message: string }[];
      /** Of a pull: from when on it is shown as waiting for the next, and how. */
      readonly pullBackOff?: PullBackOff;
    }
  | { readonly kind: 'created'; readonly id: string; readonly user: ProcessUser }
  | { readonly kind: 'started'; readonly id: string; readonly wall: string }
  | { readonly kind: 'startFailed'; readonly id: string; readonly message: string; readonly wall: string }
  | {
      readonly kind: 'hookEnded';
      readonly id: string;
      readonly hook: HookName;
      readonly ok: boolean;
      /** When it ended, where that is known better than by when it is told: nobody may have looked. */
      readonly at?: MonoNs;
      /** The kubelet's text of the failure (semantics §3.6). */
      readonly message: string;
      /** What the hook printed last, for the event. */
      readonly detail: string;
      readonly byDeadline: boolean;
    }
  | {
      readonly kind: 'probed';
      readonly id: string;
      readonly probe: ProbeName;
      readonly outcome: ProbeOutcome;
      /** The probe's own text, as the kubelet's Unhealthy event repeats it. */
      readonly output: string;
    }
  | { readonly kind: 'stop'; readonly because: Because }
  /** The kubelet looks at a pull that has to wait. */
  | { readonly kind: 'pullBackOff' }
  | { readonly kind: 'backOff'; readonly message: string; readonly event: string }
  | { readonly kind: 'signaled'; readonly id: string; readonly at: MonoNs; readonly killAt: MonoNs }
  | { readonly kind: 'exited'; readonly id: string; readonly exit: Exit };

/** How an instance ended. `lost`: nobody saw it, so nobody may claim a code of its own (it counts as 137). */
export type Exit = {
  readonly wall: string;
  readonly mono: MonoNs;
  readonly message: string | undefined;
  /** Whether the kernel killed any of its processes for want of memory. */
  readonly oomKilled?: boolean;
} & (
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'signaled'; readonly signal: number }
  | { readonly kind: 'lost'; readonly why: string }
);

export interface Moment {
  readonly at: MonoNs;
  readonly wall: string;
}

export interface Stepped {
  readonly container: ContainerRecord;
  readonly notes: readonly Note[];
}

/** What an event is judged by. */
export interface Context {
  readonly pod: Pod;
  readonly record: PodRecord;
  readonly spec: Container;
  readonly moment: Moment;
}
