import { describe, expect, test } from 'vitest';
import { hookOutput } from '../../../src/cli/render/hook-lines.ts';
import { Progress } from '../../../src/cli/render/progress.ts';
import type { Note } from '../../../src/pod/journal-entry.ts';
import { type Moment, exit, hookEnd, journalOf, probe, state } from './story.ts';

/** What `run` prints of a story. */
function told(...moments: readonly Moment[]): string[] {
  const progress = new Progress();
  return journalOf(moments)
    .map((entry) => progress.text(entry))
    .join('')
    .split('\n')
    .slice(0, -1);
}

const unhealthy: Note = {
  kind: 'event',
  type: 'Warning',
  reason: 'Unhealthy',
  message: 'Liveness probe failed: gone',
  container: 'c',
};

describe('a foreground run tells', () => {
  test('what a hook printed, and how it went', () => {
    const output = '2026-11-22T22:56:59Z stdout F bye\n';
    expect(told([1, hookEnd({ exitCode: 0, output })])).toEqual(['[c preStop] bye', 'c: preStop exec exit 0 in 0.1 s']);
    expect(told([1, hookEnd({ handler: 'sleep 5 s', seconds: 5 })])).toEqual(['c: preStop sleep ok in 5.0 s']);
    const http = { handler: 'httpGet http://:8080/bye', outcome: 'failed', message: 'connection refused' } as const;
    expect(told([1, hookEnd(http)])).toEqual(['c: preStop httpGet failed in 0.1 s: connection refused']);
  });

  test('of a failed probe once, in a line', () => {
    expect(told([1, probe({ exitCode: 4, output: 'gone\nfor good\n' })], [1.0001, unhealthy])).toEqual([
      'c: liveness probe exec exit 4 in 0.0 s: gone for good',
    ]);
    expect(
      told([1, probe({ handler: 'httpGet http://:80/', output: 'HTTP probe failed with statuscode: 503' })]),
    ).toEqual(['c: liveness probe httpGet failed in 0.0 s: HTTP probe failed with statuscode: 503']);
    expect(told([1, probe({ outcome: 'error', output: '' })])).toEqual([
      'c: liveness probe exec could not be carried out in 0.0 s',
    ]);
    expect(told([1, probe({ outcome: 'success', exitCode: 0 })])).toEqual(['c: liveness probe ok again in 0.0 s']);
    expect(told([1, probe({ output: 'x'.repeat(1000) })])[0]?.length).toBeLessThan(300);
  });

  test('when a running container becomes ready or unready, not that it is from the start', () => {
    expect(
      told(
        [1, state('waiting', { reason: 'ContainerCreating' })],
        [2, state('running', { ready: false })],
        [2, state('running', { container: 'plain' })],
        [3, state('running')],
        [4, state('running', { ready: false })],
        [5, exit(5, 1)],
        [5, state('terminated', { exitCode: 1 })],
        [6, state('running', { restartCount: 1 })],
      ),
    ).toEqual(['c: ready', 'c: not ready', 'c: exited 1']);
  });
});

describe('logs --hooks', () => {
  const printed = (note: Note, mark = true): string => {
    const [entry] = journalOf([[1, note]]);
    if (entry === undefined) throw new Error('one moment makes one entry');
    return hookOutput(entry, { timestamps: false, since: undefined, mark }).toString();
  };
  test.each<[what: string, note: Note, text: string]>([
    ['a failed probe', probe({ output: 'a\n\nb\n' }), '[c liveness] a\n[c liveness] \n[c liveness] b\n'],
    ['a silent one', probe({}), ''],
    ['one that succeeded again', probe({ outcome: 'success', output: 'fine' }), ''],
    [
      'one that printed too much',
      probe({ output: 'a', truncated: true }),
      '[c liveness] a\n[c liveness] (the rest of its output was not kept)\n',
    ],
    ['an event', unhealthy, ''],
  ])('prints of %s what it printed', (_what, note, text) => {
    expect(printed(note)).toBe(text);
  });

  test('has times, and none before --since', () => {
    const [entry] = journalOf([[1, probe({ output: 'a' })]]);
    if (entry === undefined) throw new Error('one moment makes one entry');
    const how = { timestamps: true, since: undefined, mark: true };
    expect(hookOutput(entry, how).toString()).toBe('[c liveness] 2026-11-22T22:56:19.000000000Z a\n');
    expect(hookOutput(entry, { ...how, since: Date.parse(entry.wall) + 1 }).toString()).toBe('');
  });
});
