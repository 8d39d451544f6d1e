import type { ProbeName } from '../manifest/pod.ts';
import type { HookName } from './record.ts';

/** One line of a pod's journal, the append-only account of its life. Everything that is shown about the past is derived from it. */
export type JournalEntry = {
  /** Counts from 1; without gaps, but for those of which a `dropped` entry tells. */
  readonly seq: number;
  /** CLOCK_MONOTONIC in ns, as a decimal string. */
  readonly t: string;
  /** Wall clock, ISO. */
  readonly wall: string;
} & Note;

/** What happened, before it is stamped. */
export type Note =
  /** A Kubernetes event; `container` names the one it is about. */
  | {
      readonly kind: 'event';
      readonly type: 'Normal' | 'Warning';
      readonly reason: string;
      readonly message: string;
      readonly container?: string;
      /** In a compacted journal: it stands for so many equal ones, of which the first had this number and time. */
      readonly folded?: { readonly times: number; readonly seq: number; readonly wall: string };
    }
  /** A container's visible state changed: the fields of v1 ContainerStatus that matter. */
  | {
      readonly kind: 'state';
      readonly container: string;
      readonly state: 'waiting' | 'running' | 'terminated';
      readonly reason?: string;
      readonly message?: string;
      readonly exitCode?: number;
      readonly restartCount: number;
      readonly ready: boolean;
      readonly started: boolean;
    }
  | { readonly kind: 'phase'; readonly phase: string; readonly ready: boolean }
  /** A request to end the pod. */
  | { readonly kind: 'terminate'; readonly grace: number; readonly remove: boolean; readonly now: boolean }
  | {
      readonly kind: 'hook-start';
      readonly container: string;
      readonly hook: HookName;
      readonly handler: string;
      readonly restartCount: number;
    }
  | {
      readonly kind: 'hook-end';
      readonly container: string;
      readonly hook: HookName;
      readonly handler: string;
      readonly restartCount: number;
      /** Seconds, exact. */
      readonly seconds: number;
      readonly outcome: 'ok' | 'failed' | 'ended-by-deadline';
      readonly exitCode?: number;
      readonly message?: string;
      /** CRI-marked lines, bounded. */
      readonly output: string;
      readonly truncated: boolean;
      /** Seconds of the grace period that were left when it ended (preStop). */
      readonly graceLeft?: number;
    }
  /** A probe that did not succeed, or the first success after such a one. */
  | {
      readonly kind: 'probe';
      readonly container: string;
      readonly probe: ProbeName;
      readonly handler: string;
      readonly restartCount: number;
      /** Seconds, exact. */
      readonly seconds: number;
      readonly outcome: ProbeOutcome;
      readonly exitCode?: number;
      /** What it printed or answered, bounded. */
      readonly output: string;
      readonly truncated: boolean;
    }
  /** A signal that the monitor sent, with the moment it was sent. */
  | {
      readonly kind: 'signal';
      readonly container: string;
      readonly signal: string;
      readonly why: string;
      readonly at: string;
      readonly killAt?: string;
    }
  /** The end of a container, with the moment at which the monitor saw it. */
  | {
      readonly kind: 'exit';
      readonly container: string;
      readonly restartCount: number;
      readonly exitCode: number;
      readonly signal?: string;
      /** The kernel killed something in it for want of memory. */
      readonly oomKilled?: true;
      readonly at: string;
    }
  /** The journal was compacted: so many entries that stood here are gone. */
  | { readonly kind: 'dropped'; readonly entries: number }
  /** A line for people: why something was, or was not, done. */
  | { readonly kind: 'note'; readonly container?: string; readonly text: string }
  /** Nothing of the pod is left on the host. */
  | { readonly kind: 'ended'; readonly phase: 'Succeeded' | 'Failed' };

/** `warning` counts as success; `error`: it could not be carried out, which counts as nothing. */
export type ProbeOutcome = 'success' | 'warning' | 'failure' | 'error';
