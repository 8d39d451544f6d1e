import type { EntryOf } from '../observed.ts';
import type { Story } from './index.ts';
import { type Life, secondsOf } from './lives.ts';

/** Between the stop signal and SIGKILL there are always so many seconds (kuberuntime_container.go: minimumGracePeriodInSeconds). */
const MINIMUM = 2;
/** SIGKILL may be this much later than its moment, for the machine's own sake. */
const LATE = 0.3;
/** A journal is written a moment after what it tells of: so far a whole second may be another one. */
const BLUR = 0.1;
/** By so much a moment that counts from the journal's own stamps may be missed. */
const WRITTEN = 0.05;

/** When and in which order containers are signalled and killed. */
export function stopLaws(story: Story): string[] {
  return [...story.lives.flatMap((life) => lawsOf(life, story)), ...overInTime(story)];
}

function lawsOf(life: Life, story: Story): string[] {
  const stops = life.signals.filter(({ why }) => why === 'stop');
  const kills = life.signals.filter(({ why }) => why === 'deadline' || why === 'kill');
  const [signal] = stops;
  const { name } = life.spec;
  return [
    ...(stops.length > 1 && !story.ownersDied ? [`${name} got its stop signal ${stops.length} times`] : []),
    ...life.signals.flatMap((one) => afterTheEnd(life, one)),
    ...(signal === undefined ? [] : [...beforeItsHook(life, signal, story), ...outOfTurn(life, signal, story)]),
    ...kills.flatMap((kill) => untimelyKill(life, { signal, kill }, story)),
    ...(signal === undefined || kills.length > 0 ? [] : spared(life, signal, story)),
  ];
}

function afterTheEnd({ spec, end }: Life, { signal, at }: EntryOf<'signal'>): string[] {
  if (end === undefined || secondsOf(at) <= end.at) return [];
  return [`${signal} to ${spec.name} ${(secondsOf(at) - end.at).toFixed(3)} s after it had ended`];
}

/** The stop signal waits for preStop while there is grace. */
function beforeItsHook(life: Life, signal: EntryOf<'signal'>, story: Story): string[] {
  const { spec, stop } = life;
  const at = secondsOf(signal.at);
  if (stop === undefined) return [`${signal.signal} to ${spec.name}, which nobody was about to stop`];
  if (!isOpenAt(life, at)) return [];
  const until = Math.min(stop.at + budget(life, story).least, hooksUntil(story, at));
  if (at >= until - WRITTEN) return [];
  return [
    `${signal.signal} to ${spec.name} ${(until - at).toFixed(3)} s before its grace period was over, during preStop`,
  ];
}

/** A sidecar is signalled when all that come after it are gone, or the grace period is (kuberuntime_termination_order.go). */
function outOfTurn(life: Life, signal: EntryOf<'signal'>, story: Story): string[] {
  const { spec, stop } = life;
  const at = secondsOf(signal.at);
  if (spec.role !== 'sidecar' || stop === undefined) return [];
  const inOrder = stop.because === 'terminated' || stop.because === 'completed' || firstBefore(story, at) !== undefined;
  if (!inOrder) return [];
  const hook = hookSeconds(life, at, story);
  const turn = stop.at + hook + Math.max(0, budget(life, story).least - Math.floor(hook + BLUR));
  if (at >= Math.min(turn, hooksUntil(story, at)) - WRITTEN) return [];
  const { containers } = story.pod;
  const later = containers.slice(containers.indexOf(spec) + 1).filter(({ role }) => role !== 'init');
  return story.lives
    .filter((one) => later.includes(one.spec) && isAliveAt(one, at))
    .map((one) => `${signal.signal} to sidecar ${spec.name} while ${one.spec.name} was still there`);
}

/** SIGKILL comes at signal + max(2, G − ⌊hook⌋ − ⌊wait⌋): never earlier, and at once after it (killContainer). */
function untimelyKill(
  life: Life,
  { signal, kill }: { signal: EntryOf<'signal'> | undefined; kill: EntryOf<'signal'> },
  story: Story,
): string[] {
  const { name } = life.spec;
  const at = secondsOf(kill.at);
  const now = story.terminates.some((one) => one.now && secondsOf(one.t) <= at);
  // What was created for a pod that was then asked to end goes without ever having run.
  if (now || (life.started === undefined && kill.why === 'kill')) return [];
  if (signal === undefined) return [`SIGKILL to ${name} without a stop signal before it`];
  const { least, most } = killWindow(life, signal, story);
  const since = secondsOf(signal.at);
  const took = (at - since).toFixed(3);
  if (at < least) return [`SIGKILL to ${name} ${took} s after its stop signal, before ${(least - since).toFixed(3)} s`];
  if (at <= most + LATE) return [];
  return [`SIGKILL to ${name} ${took} s after its stop signal, later than ${(most - since).toFixed(3)} s`];
}

/** What got no SIGKILL was gone before its moment. */
function spared(life: Life, signal: EntryOf<'signal'>, story: Story): string[] {
  const { most } = killWindow(life, signal, story);
  if (life.end === undefined || life.end.at <= most + LATE) return [];
  return [`${life.spec.name} got no SIGKILL, and ended ${(life.end.at - most).toFixed(3)} s after its moment`];
}

/** Everything is dead two seconds after the grace period at the latest, whatever was rounded. */
function overInTime({ lives, terminates, ownersDied }: Story): string[] {
  const [asked] = terminates;
  if (asked === undefined || ownersDied) return [];
  const limit = secondsOf(asked.t) + Math.max(MINIMUM, asked.grace) + MINIMUM + LATE;
  return lives
    .filter(({ end }) => end !== undefined && end.at > limit)
    .map(({ spec, end }) => {
      const after = ((end?.at ?? 0) - secondsOf(asked.t)).toFixed(3);
      return `${spec.name} ended ${after} s after the pod's end began, with a grace period of ${asked.grace} s`;
    });
}

interface Range {
  readonly least: number;
  readonly most: number;
}

/** When SIGKILL is due. A later wish may bring it forward, and the journal does not say how far: only the 2 s are sure then. */
function killWindow(life: Life, signal: EntryOf<'signal'>, story: Story): Range {
  const at = secondsOf(signal.at);
  const since = life.stop?.at ?? at;
  const grace = budget(life, story);
  const hook = hookSeconds(life, at, story);
  const wait = at - since - hook;
  const least = Math.max(MINIMUM, grace.least - Math.floor(hook + BLUR) - Math.floor(wait + BLUR));
  const most = Math.max(MINIMUM, grace.most - wholeSeconds(hook - BLUR) - wholeSeconds(wait - BLUR));
  const limits = story.terminates.flatMap((one, index) => {
    const asked = secondsOf(one.t);
    if (index > 0) return [{ least: asked + MINIMUM, most: Infinity }];
    // A stop that had begun before counted from the pod's own grace period.
    if (since >= asked) return [];
    const end = asked + Math.max(MINIMUM, one.grace);
    return [{ least: end - WRITTEN, most: end }];
  });
  return {
    least: Math.min(at + least, ...limits.map((one) => Math.max(at + MINIMUM, one.least))),
    most: Math.min(at + most, ...limits.map((one) => Math.max(at + MINIMUM, one.most))),
  };
}

/** Seconds of grace when the stop began (kuberuntime_container.go: setTerminationGracePeriod). */
function budget({ spec, stop }: Life, story: Story): Range {
  if (stop?.because === 'restartAll') return { least: 0, most: 0 };
  const own = Math.max(0, story.pod.terminationGracePeriodSeconds);
  // Its Killing event is written after the wish that it comes of.
  const asked = stop === undefined ? undefined : firstBefore(story, stop.at);
  if (stop !== undefined && asked !== undefined) {
    const gone = stop.at - secondsOf(asked.t);
    return {
      least: Math.max(0, asked.grace - wholeSeconds(gone + BLUR)),
      most: Math.max(0, asked.grace - wholeSeconds(gone - BLUR)),
    };
  }
  const probe = stop?.because === 'startup' || stop?.because === 'liveness' ? spec.probes[stop.because] : undefined;
  const grace = probe?.terminationGracePeriodSeconds ?? own;
  return { least: grace, most: grace };
}

/** How long preStop was waited for, up to `at`. */
function hookSeconds(life: Life, at: number, story: Story): number {
  const begun = life.hooks.some((one) => one.kind === 'hook-start' && one.hook === 'preStop');
  if (!begun || life.stop === undefined) return 0;
  const ended = life.hooks.findLast((one) => one.kind === 'hook-end' && one.hook === 'preStop');
  const over = ended === undefined ? at : Math.min(at, secondsOf(ended.t));
  const until = Math.min(over, life.stop.at + budget(life, story).most, hooksUntil(story, at, Infinity));
  return Math.max(0, until - life.stop.at);
}

/** No hook is waited for past this moment; `again`: seconds that any later wish leaves at the least. */
function hooksUntil({ terminates }: Story, at: number, again = 1): number {
  const moments = terminates.map((one, index) => secondsOf(one.t) + (index === 0 ? one.grace : again));
  return Math.min(Infinity, ...moments.filter((_, index) => secondsOf(terminates[index]?.t ?? '0') <= at));
}

function firstBefore({ terminates }: Story, at: number): EntryOf<'terminate'> | undefined {
  const [first] = terminates;
  return first !== undefined && secondsOf(first.t) <= at ? first : undefined;
}

function isOpenAt({ hooks }: Life, at: number): boolean {
  const begun = hooks.some((one) => one.kind === 'hook-start' && one.hook === 'preStop' && secondsOf(one.t) <= at);
  return begun && !hooks.some((one) => one.kind === 'hook-end' && one.hook === 'preStop' && secondsOf(one.t) <= at);
}

function isAliveAt({ started, end }: Life, at: number): boolean {
  return started !== undefined && started <= at && (end === undefined || end.at > at);
}

function wholeSeconds(seconds: number): number {
  return Math.max(0, Math.floor(seconds));
}
