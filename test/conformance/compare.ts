import { SECOND } from '../../src/base/clock.ts';
import { blanked, isRuntimeText, saysAtLeast, saysTheSame } from './blank.ts';
import { timeDifferences } from './compare-times.ts';
import { expectationOf } from './deliberate.ts';
import { type EntryOf, type Observed, entriesOf } from './observed.ts';
import { type Expectation, type ExpectedState, type Recording, type RecordedPod, containersOf } from './recording.ts';

/** Everything in which minirt and the node disagree; empty when it did the same. The rules are in README.md. */
export function compare(recording: Recording, observed: Observed): readonly string[] {
  const expect = expectationOf(recording);
  return [
    ...wholePod(expect, observed),
    ...Object.entries(expect.containers).flatMap(([name, states]) =>
      containerStates(states, observed, { name, pod: recording.pod }),
    ),
    ...events(expect, observed, recording),
    ...output(expect, observed),
    ...timeDifferences(recording, expect, observed.entries),
  ];
}

function wholePod(expect: Expectation, { entries, object }: Observed): string[] {
  const seen = entriesOf(entries, 'phase');
  const phases = withoutRepeats(seen.map((entry) => entry.phase));
  const ready = withoutRepeats(seen.map((entry) => (entry.ready ? 'True' : 'False')));
  const differences: string[] = [];
  if (!isSubsequence(expect.phases, phases)) differences.push(`phases: ${list(phases)}, not ${list(expect.phases)}`);
  const last = expect.phases.at(-1);
  if ((last === 'Succeeded' || last === 'Failed') && object.status?.phase !== last) {
    differences.push(`final phase: ${object.status?.phase ?? 'none'}, not ${last}`);
  }
  if (!isSubsequence(expect.ready, ready)) differences.push(`ready: ${list(ready)}, not ${list(expect.ready)}`);
  if (!expect.ready.includes('True') && ready.includes('True')) differences.push('ready: it never was on the node');
  const reason = object.status?.reason ?? null;
  if (reason !== expect.podReason) differences.push(`reason: ${String(reason)}, not ${String(expect.podReason)}`);
  const qos = object.status?.qosClass;
  if (qos !== expect.qosClass) differences.push(`qosClass: ${qos ?? 'none'}, not ${expect.qosClass}`);
  return differences;
}

function containerStates(
  expected: readonly ExpectedState[],
  { entries }: Observed,
  { name, pod }: { name: string; pod: RecordedPod },
): string[] {
  const seen = entriesOf(entries, 'state').filter((entry) => entry.container === name);
  const differences: string[] = [];
  const missing = firstMissing(expected, seen, sameState);
  if (missing !== undefined) {
    const before = list(seen.map(stateText));
    differences.push(`container ${name}: never ${stateText(missing)} in its place; it was ${before}`);
  }
  differences.push(
    ...seen
      .filter((state) => isWrong(state, expected, { name, pod }))
      .map((state) => `container ${name}: ${stateText(state)}, which the node never showed`),
  );
  const last = expected.at(-1);
  const end = seen.at(-1);
  if (last === undefined) return differences;
  if (end?.restartCount !== last.restartCount) {
    differences.push(`container ${name}: ${end?.restartCount ?? 'no'} restarts at the end, not ${last.restartCount}`);
  }
  if (last.state === 'terminated' && (end === undefined || !sameState(end, last))) {
    differences.push(
      `container ${name}: ended ${end === undefined ? 'never' : stateText(end)}, not ${stateText(last)}`,
    );
  }
  return differences;
}

/** Short states in between are right; these are wrong ones. */
function isWrong(
  seen: EntryOf<'state'>,
  expected: readonly ExpectedState[],
  { name, pod }: { name: string; pod: RecordedPod },
): boolean {
  const alike = expected.filter((state) => state.state === seen.state);
  if (seen.state === 'running') {
    // Running is what a container is called only once its postStart is over.
    const hooked = containersOf(pod).some((one) => one.name === name && one.lifecycle?.postStart !== undefined);
    return hooked && alike.length === 0;
  }
  if (seen.state === 'terminated') {
    return alike.length > 0 && !alike.some((one) => one.exitCode === seen.exitCode && one.reason === seen.reason);
  }
  const passing = [
    'ContainerCreating',
    'PodInitializing',
    'CrashLoopBackOff',
    'RunContainerError',
    'PostStartHookError',
  ];
  return !alike.some((one) => one.reason === seen.reason) && !passing.includes(seen.reason ?? '');
}

function sameState(seen: EntryOf<'state'>, expected: ExpectedState): boolean {
  return (
    seen.state === expected.state &&
    (seen.reason ?? '') === (expected.reason ?? '') &&
    seen.exitCode === expected.exitCode &&
    seen.restartCount === expected.restartCount &&
    seen.ready === expected.ready &&
    seen.started === expected.started &&
    (expected.state === 'terminated' ? saysTheSame : saysAtLeast)(seen.message ?? '', expected.message ?? '')
  );
}

function events(expect: Expectation, { entries }: Observed, { steps }: Recording): string[] {
  const seen = entriesOf(entries, 'event').filter((one) => !isLuck(one, entries) || isExpected(one, expect));
  const containers = new Set([...expect.events.map((one) => one.container), ...seen.map((one) => one.container ?? '')]);
  const differences: string[] = [];
  for (const container of containers) {
    const ours = firstAppearances(seen.filter((one) => (one.container ?? '') === container));
    const theirs = firstAppearances(expect.events.filter((one) => one.container === container));
    if (!isSameOrder(ours, theirs, appearances(seen, container))) {
      differences.push(`events of ${container === '' ? 'the pod' : container}: ${list(ours)}, not ${list(theirs)}`);
    }
  }
  for (const event of expect.events) {
    const alike = seen.filter(
      (one) => one.type === event.type && one.reason === event.reason && (one.container ?? '') === event.container,
    );
    const count = alike.filter((one) => saysAtLeast(one.message, event.message)).length;
    if (count === 0 && alike.length > 0) {
      differences.push(`event ${event.reason}: ${list(alike.map((one) => one.message))}, not ${event.message}`);
    } else if (count > 0 && Math.abs(count - event.count) > tolerance(event.reason, steps)) {
      differences.push(`event ${event.reason} of ${event.container}: ${count} times, not ${event.count}`);
    }
  }
  return differences;
}

/** How far a count may be off: what happens again and again depends on how long the recorder's steps took. */
function tolerance(reason: string, steps: Recording['steps']): number {
  if (reason !== 'Unhealthy' && reason !== 'ProbeWarning') return steps.some(([step]) => step === 'sleep') ? 1 : 0;
  return steps.filter(([step]) => step !== 'logs' && step !== 'exec').length;
}

/** When each (type, reason) of a container was first seen, ns. */
function appearances(seen: readonly EntryOf<'event'>[], container: string): ReadonlyMap<string, bigint> {
  const first = new Map<string, bigint>();
  for (const { type, reason, t } of seen.filter((one) => (one.container ?? '') === container)) {
    const key = `${type} ${reason}`;
    if (!first.has(key)) first.set(key, BigInt(t));
  }
  return first;
}

/**
 * The same events in the same order. On the node probes tell of their failures beside the rest, so these and others of the
 * same second overtake each other.
 */
function isSameOrder(ours: readonly string[], theirs: readonly string[], at: ReadonlyMap<string, bigint>): boolean {
  if (ours.length !== theirs.length || !theirs.every((one) => ours.includes(one))) return false;
  const place = (one: string): number => ours.indexOf(one);
  return theirs.every((one, index) =>
    theirs.slice(index + 1).every((later) => {
      if (place(one) < place(later)) return true;
      const probed = [one, later].some((text) => text.endsWith(' Unhealthy') || text.endsWith(' ProbeWarning'));
      return probed && (at.get(one) ?? 0n) <= (at.get(later) ?? 0n) + SECOND;
    }),
  );
}

/**
 * A short hook that ends its own container (`nginx -s quit`) may be taken along before it has ended, and a probe may be
 * under way when its container is stopped: on the node as here that is luck, and so is the event that tells of it.
 */
function isLuck({ reason, container, seq }: EntryOf<'event'>, entries: Observed['entries']): boolean {
  if (reason === 'Unhealthy') {
    return entriesOf(entries, 'event').some(
      (one) => one.reason === 'Killing' && one.container === container && one.seq < seq,
    );
  }
  return (
    reason === 'FailedPreStopHook' &&
    entriesOf(entries, 'hook-end').some(
      (end) => end.hook === 'preStop' && end.container === container && end.exitCode === 137 && end.seconds < 1,
    )
  );
}

function isExpected(
  { reason, container }: { reason: string; container?: string },
  { events: all }: Expectation,
): boolean {
  return all.some((one) => one.reason === reason && one.container === container);
}

function firstAppearances(all: readonly { readonly type: string; readonly reason: string }[]): string[] {
  return [...new Set(all.map(({ type, reason }) => `${type} ${reason}`))];
}

function output(expect: Expectation, { logs, execs }: Observed): string[] {
  const differences: string[] = [];
  for (const [container, text] of Object.entries(expect.logs)) {
    const seen = logs[container] ?? '';
    if (withoutRepeatedLines(blanked(seen)) !== withoutRepeatedLines(blanked(text))) {
      differences.push(`log of ${container}: ${JSON.stringify(seen)}, not ${JSON.stringify(text)}`);
    }
  }
  if (execs.length !== expect.execs.length) differences.push(`execs: ${execs.length}, not ${expect.execs.length}`);
  expect.execs.forEach((expected, index) => {
    const seen = execs[index];
    if (seen === undefined) return;
    const what = `exec ${expected.argv.join(' ')}`;
    if (seen.exit !== expected.exit) differences.push(`${what}: exit ${seen.exit}, not ${expected.exit}`);
    for (const stream of ['stdout', 'stderr'] as const) {
      // Of the runtime's error only the end counts, and minirt adds the exit code that it gives it.
      const says = isRuntimeText(expected[stream]) ? saysAtLeast : saysTheSame;
      if (says(seen[stream], expected[stream])) continue;
      differences.push(`${what}: ${stream} ${JSON.stringify(seen[stream])}, not ${JSON.stringify(expected[stream])}`);
    }
  });
  return differences;
}

/** How often a probe came by is a matter of time, also in a server's log. */
function withoutRepeatedLines(text: string): string {
  return withoutRepeats(text.split('\n')).join('\n');
}

function stateText({
  state,
  reason,
  exitCode,
  restartCount,
  ready,
  message,
}: ExpectedState | EntryOf<'state'>): string {
  const parts = [
    state,
    reason,
    exitCode === undefined ? undefined : String(exitCode),
    `#${restartCount}`,
    ready ? 'ready' : undefined,
    message === undefined ? undefined : JSON.stringify(message),
  ];
  return parts.filter((part) => part !== undefined).join(' ');
}

function withoutRepeats(values: readonly string[]): string[] {
  return values.filter((value, index) => value !== values[index - 1]);
}

function isSubsequence(expected: readonly string[], seen: readonly string[]): boolean {
  return firstMissing(expected, seen, (a, b) => a === b) === undefined;
}

/** The first of `expected` that does not come, in order, among `seen`. */
function firstMissing<E, S>(expected: readonly E[], seen: readonly S[], same: (s: S, e: E) => boolean): E | undefined {
  let from = 0;
  for (const [index, one] of expected.entries()) {
    const before = index === 0 ? undefined : expected[index - 1];
    if (before !== undefined && JSON.stringify(before) === JSON.stringify(one)) continue;
    const at = seen.findIndex((other, place) => place >= from && same(other, one));
    if (at < 0) return one;
    from = at + 1;
  }
  return undefined;
}

function list(values: readonly string[]): string {
  return values.join(' > ');
}
