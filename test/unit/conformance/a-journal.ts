import type { Note } from '../../../src/pod/journal-entry.ts';
import type { JournalEntry } from '../../../src/pod/journal-entry.ts';

export type Told = readonly [at: number, note: Note];

/** A journal that tells these notes at these seconds, in this order. */
export function aJournal(told: readonly Told[]): readonly JournalEntry[] {
  return told.map(([at, note], index) => ({
    seq: index + 1,
    t: stamp(at),
    wall: new Date(at * 1000).toISOString(),
    ...note,
  }));
}

/** A stamp of the monotonic clock. */
export function stamp(seconds: number): string {
  return String(BigInt(Math.round(seconds * 1e6)) * 1000n);
}

type Order = { readonly restart?: number; readonly code?: number };

/** An instance is made and started. */
export function begins(at: number, container: string): readonly Told[] {
  return ['Pulled', 'Created', 'Started'].map((reason) => [at, event(container, reason)]);
}

export function event(container: string, reason: string, message = ''): Note {
  return { kind: 'event', type: reason === 'BackOff' ? 'Warning' : 'Normal', reason, message, container };
}

export function stops(at: number, container: string, message = `Stopping container ${container}`): Told {
  return [at, event(container, 'Killing', message)];
}

export function hookStart(at: number, container: string, hook: 'postStart' | 'preStop' = 'preStop'): Told {
  return [at, { kind: 'hook-start', container, hook, handler: 'exec', restartCount: 0 }];
}

export function hookEnd(at: number, container: string, seconds = 0): Told {
  const how = { outcome: 'ok', output: '', truncated: false } as const;
  return [at, { kind: 'hook-end', container, hook: 'preStop', handler: 'exec', restartCount: 0, seconds, ...how }];
}

export function signal(at: number, container: string, why: 'stop' | 'deadline' | 'kill' = 'stop'): Told {
  const name = why === 'stop' ? 'SIGTERM' : 'SIGKILL';
  return [at, { kind: 'signal', container, signal: name, why, at: stamp(at) }];
}

/** A container ends, and is shown so. */
export function ends(at: number, container: string, { restart = 0, code = 0 }: Order = {}): readonly Told[] {
  const exit: Note = { kind: 'exit', container, restartCount: restart, exitCode: code, at: stamp(at) };
  const shown = { state: 'terminated', reason: 'Error', exitCode: code } as const;
  const quiet = { restartCount: restart, ready: false, started: false };
  return [
    [at, exit],
    [at, { kind: 'state', container, ...shown, ...quiet }],
  ];
}

export function asked(at: number, grace: number, now = false): Told {
  return [at, { kind: 'terminate', grace, remove: true, now }];
}

export function over(at: number): readonly Told[] {
  return [
    [at, { kind: 'ended', phase: 'Succeeded' }],
    [at, { kind: 'phase', phase: 'Succeeded', ready: false }],
  ];
}
