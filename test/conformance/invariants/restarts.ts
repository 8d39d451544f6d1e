import { RESTART_ALL_REMARK } from '../../../src/pod/step.ts';
import { entriesOf } from '../observed.ts';
import type { Story } from './index.ts';
import type { Life } from './lives.ts';

const FIRST = 10;
const LONGEST = 300;
/** An instance that lasted longer begins a new series. Its creation was a moment before the journal tells of it. */
const FORGIVEN = 600 - 1;

interface Backoff {
  readonly delay: number;
  /** When the instance began that will have to wait so long after its end. */
  readonly since: number;
}

/** A restart waits for its back-off: 10 s, doubling up to 300 s (kuberuntime_manager.go: doBackOff). */
export function restartLaws(story: Story): string[] {
  return story.pod.containers.flatMap(({ name }) =>
    tooEarly(
      story.lives.filter(({ spec }) => spec.name === name),
      restartedWithAnother(story, name),
    ),
  );
}

/** `free`: the instances that came with a restart of all containers, which another one asked for. */
function tooEarly(lives: readonly Life[], free: ReadonlySet<number>): string[] {
  let backoff: Backoff | undefined;
  const told: string[] = [];
  // What never came to an end was not an instance: its creation was interrupted.
  const ran = lives.filter((life, index) => life.end !== undefined || index === lives.length - 1);
  for (const [index, life] of ran.entries()) {
    const last = ran[index - 1];
    const ended = last?.end?.at;
    if (last === undefined || ended === undefined || free.has(life.index)) continue;
    const before = ran[index - 2]?.end?.at;
    const byProbe = !last.backedOff && (last.stop?.because === 'startup' || last.stop?.because === 'liveness');
    // The kubelet kills for a probe and starts again in one step, which sees only the instance before.
    const atOnce = byProbe && (before === undefined || life.begin >= waitsUntil(backoff, before));
    const until = atOnce ? 0 : waitsUntil(backoff, ended);
    if (life.begin < until) {
      const after = (life.begin - ended).toFixed(3);
      told.push(
        `${life.spec.name} was started again ${after} s after its end, ${(until - ended).toFixed(0)} s were due`,
      );
    }
    if (!byProbe) backoff = next(backoff, ended, life.begin);
    else if (before !== undefined) backoff = next(backoff, before, life.begin);
  }
  return told;
}

function waitsUntil(backoff: Backoff | undefined, ended: number): number {
  return backoff === undefined || ended - backoff.since > FORGIVEN ? 0 : ended + backoff.delay;
}

function next(backoff: Backoff | undefined, ended: number, since: number): Backoff {
  if (backoff === undefined || ended - backoff.since > FORGIVEN) return { delay: FIRST, since };
  return { delay: Math.min(backoff.delay * 2, LONGEST), since };
}

/** Places of the instances of a container that began because another one's exit restarted all (KEP-5532). */
function restartedWithAnother({ entries, lives }: Story, name: string): ReadonlySet<number> {
  const remarks = entriesOf(entries, 'note').filter(({ text }) => text === RESTART_ALL_REMARK);
  const asked = remarks.filter(({ container }) => container !== name).map((one) => entries.indexOf(one));
  const own = lives.filter(({ spec }) => spec.name === name).map(({ index }) => index);
  return new Set(asked.flatMap((at) => own.find((index) => index > at) ?? []));
}
