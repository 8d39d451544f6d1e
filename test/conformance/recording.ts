import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** One thing that was done to the pod; see README.md. */
export type Step =
  | readonly ['ready', seconds: number]
  | readonly ['phase', phase: string, seconds: number]
  | readonly ['restarts', count: number, seconds: number]
  | readonly ['sleep', seconds: number]
  | readonly ['exec', container: string, argv: readonly string[]]
  | readonly ['logs', container: string]
  | readonly ['delete', grace: number | null];

export interface ExpectedState {
  readonly state: 'waiting' | 'running' | 'terminated';
  readonly reason?: string;
  readonly message?: string;
  readonly exitCode?: number;
  readonly restartCount: number;
  readonly ready: boolean;
  readonly started: boolean;
}

export interface ExpectedEvent {
  readonly type: string;
  readonly reason: string;
  /** Empty for the pod itself. */
  readonly container: string;
  readonly message: string;
  readonly count: number;
}

export interface Expectation {
  readonly phases: readonly string[];
  readonly ready: readonly string[];
  readonly podReason: string | null;
  readonly qosClass: string;
  readonly containers: Readonly<Record<string, readonly ExpectedState[]>>;
  readonly events: readonly ExpectedEvent[];
  readonly logs: Readonly<Record<string, string>>;
  readonly execs: readonly {
    readonly argv: readonly string[];
    readonly exit: number;
    readonly stdout: string;
    readonly stderr: string;
  }[];
  /** Earliest and latest second after the delete at which the last container may die. */
  readonly deleteSeconds?: readonly [least: number, most: number];
}

export interface RecordedContainer {
  readonly name: string;
  readonly image: string;
  readonly lifecycle?: { readonly postStart?: unknown; readonly preStop?: unknown };
}

export interface RecordedPod {
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec: {
    readonly terminationGracePeriodSeconds?: number;
    readonly initContainers?: readonly RecordedContainer[];
    readonly containers: readonly RecordedContainer[];
  };
}

/** Init containers and sidecars first, as they start. */
export function containersOf({ spec }: RecordedPod): readonly RecordedContainer[] {
  return [...(spec.initContainers ?? []), ...spec.containers];
}

/** What was done to a pod on a real node, and everything that node then reported. */
export interface Recording {
  readonly name: string;
  readonly area: 'lifecycle' | 'manifest' | 'isolation' | 'images';
  readonly objects?: readonly unknown[];
  readonly pod: RecordedPod;
  readonly steps: readonly Step[];
  readonly expect: Expectation;
}

/** Those of the real node that come with minirt. */
const FOLDER = join(import.meta.dirname, 'recordings');

/** All recordings of a folder, by name. */
export function recordings(folder = FOLDER): readonly Recording[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .toSorted()
    .map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as Recording);
}

export function recordingOf(name: string): Recording {
  const found = recordings().find((one) => one.name === name);
  if (found === undefined) throw new RangeError(`no recording ${name}`);
  return found;
}
