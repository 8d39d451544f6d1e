import { seconds, systemClock } from '../../base/clock.ts';
import { MinirtError } from '../../base/errors.ts';
import type { Pod } from '../../manifest/pod.ts';
import type { JournalEntry } from '../../pod/journal-entry.ts';
import type { PodView } from '../../pod/view.ts';
import { ensureOwned } from '../../supervisor/client.ts';
import { EXIT } from '../exit-code.ts';
import { say, tell } from '../io.ts';
import { viewOrNothing } from '../log/instance.ts';
import { asJson } from '../render/document.ts';
import { Progress } from '../render/progress.ts';
import { podEntries } from '../stream.ts';
import type { Context } from '../verb.ts';
import type { RunOptions } from './foreground.ts';
import { startOutcome } from './outcome.ts';
import { register } from './prepare.ts';

/** Hands pods to the supervisor and returns when every container has started, or failed to. */
export async function runDetached(context: Context, pods: readonly Pod[], options: RunOptions): Promise<number> {
  const { io, roots } = context;
  const note = (line: string): void => {
    if (options.quiet !== true) tell(io, line);
  };
  let status: number = EXIT.ok;
  for (const pod of pods) {
    const view = await register(context, pod, { ...options, note });
    await ensureOwned(roots, view.uid);
    note(`pod/${view.name} created`);
    const failures = await untilStarted(context, view, options);
    if (options.json) io.stdout.write(asJson(((await viewOrNothing(roots, view.uid)) ?? view).object));
    if (failures.length === 0 && !options.json) say(io, `pod/${view.name} started`);
    for (const failure of failures) tell(io, `error[pod.not-running]: start pod: ${view.name}: ${failure}`);
    if (failures.length > 0) status = EXIT.failed;
  }
  return status;
}

async function untilStarted(context: Context, view: PodView, options: RunOptions): Promise<readonly string[]> {
  const { containers } = view.pod;
  const progress = new Progress();
  const journal: JournalEntry[] = [];
  const limit = deadline(options.timeout, view.name);
  const entries = podEntries(context, view, 1);
  try {
    for (;;) {
      const result = await Promise.race([entries.next(), limit.passed]);
      if (result.done === true) return startOutcome(journal, containers)?.failures ?? ['the pod is gone'];
      journal.push(result.value);
      if (options.quiet !== true) context.io.stderr.write(progress.text(result.value));
      const outcome = startOutcome(journal, containers);
      if (outcome !== undefined) return outcome.failures;
    }
  } finally {
    limit.cancel();
  }
}

function deadline(timeout: number | undefined, name: string): { passed: Promise<never>; cancel: () => void } {
  let cancel = (): void => undefined;
  const passed = new Promise<never>((_resolve, reject) => {
    if (timeout === undefined) return;
    cancel = systemClock.at(systemClock.now() + seconds(timeout), () => {
      reject(
        new MinirtError('deadline.exceeded', `start pod: ${name}: not every container had started after ${timeout} s`, {
          hint: `it goes on; \`minirt events ${name}\` tells what it waits for, \`minirt delete pod ${name}\` ends it`,
        }),
      );
    });
  });
  return {
    passed,
    cancel: () => {
      cancel();
    },
  };
}
