import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MinirtError } from '../../base/errors.ts';
import { Stage } from '../demo/stage.ts';
import { playOnTerminal } from '../demo/terminal.ts';
import { openImageStore } from '../../image/store.ts';
import { findPod, viewPod } from '../../pod/view.ts';
import { Changes } from '../changes.ts';
import { say } from '../io.ts';
import { type Context, type Verb, usage } from '../verb.ts';

const EXAMPLE = 'examples/lifecycle-events.yaml';
const TEXT = 'Hello from the postStart handler';
const POD = 'lifecycle-demo';
const START_MS = 60_000;

export const verb: Verb<{ message?: string }> = {
  arguments: '',
  options: [{ flags: '--message <text>', text: `what the postStart hook writes, instead of "${TEXT}"` }],
  notes: `Plays Kubernetes' tutorial "Attach Handlers to Container Lifecycle Events" with ${EXAMPLE}.`,
  async run(context, { options }) {
    const message = options.message ?? TEXT;
    if (!/^[\w][\w .,-]*$/.test(message)) throw usage('--message: only letters, digits, blanks and . , - _');
    const { io } = context;
    // From here on there is something to put in order, which an interrupt must leave time for.
    const stop = io.onInterrupt(() => undefined);
    try {
      await using stage = await Stage.open(context);
      await play(context, stage, message);
    } finally {
      stop();
    }
    return 0;
  },
};

async function play(context: Context, stage: Stage, message: string): Promise<void> {
  const { io, roots } = context;
  say(io, `The tutorial of Kubernetes' lifecycle hooks, with minirt in place of kubectl (${EXAMPLE}).`);
  if ((await openImageStore(roots.root).find('nginx')) === undefined) {
    say(io, '\nThe image nginx is not here yet; its recipe makes it from Debian packages (once, about a minute).');
    expect(await stage.play(['load', '--recipe', 'nginx']), /./, 'the recipe must make the image');
  }
  const file = await exampleWith(stage, message);
  const created = await stage.play(['create', '-f', file], ['create', '-f', EXAMPLE]);
  expect(created, new RegExp(`pod/${POD} created`), 'the pod must be accepted');
  await untilReady(stage);
  expect(await stage.play(['get', 'pod', POD]), /1\/1 +Running/, 'the container must be running');
  const literal = message.replaceAll('.', '\\.');
  const shell = await playOnTerminal(context, stage, {
    args: ['exec', '-it', POD, '--', '/bin/bash'],
    lines: [
      { after: new RegExp(`root@${POD}:/# `), type: 'cat /usr/share/message' },
      { after: new RegExp(`${literal}\\s[^#]*# `), type: 'exit' },
    ],
  });
  expect(shell, new RegExp(`[\\r\\n]${literal}\\r?\\n`), 'the shell must read what postStart wrote');
  const deleted = await stage.play(['delete', 'pod', POD]);
  expect(deleted, new RegExp(`pod "${POD}" deleted`), 'the pod must be deleted');
  expect(deleted, /preStop exec exit 0/, 'preStop must have ended the server');
  say(io, '\nDone: the shell read what postStart wrote, and preStop ended nginx gracefully.');
}

function expect({ code, output }: { code: number; output: string }, wanted: RegExp, what: string): void {
  if (code === 0 && wanted.test(output)) return;
  const why = code === 0 ? `its output does not match ${String(wanted)}` : `exit status ${code}`;
  throw new MinirtError('pod.not-running', `demo: ${what}: ${why}`);
}

/** The example, with the message of this time. */
async function exampleWith(stage: Stage, message: string): Promise<string> {
  const text = await readFile(new URL(`../../../${EXAMPLE}`, import.meta.url), 'utf8');
  if (!text.includes(TEXT)) throw new MinirtError('internal', `demo: ${EXAMPLE} does not say "${TEXT}"`);
  const file = join(stage.roots.logs, '..', 'lifecycle-events.yaml');
  await writeFile(file, text.replace(TEXT, message));
  return file;
}

async function untilReady({ roots }: Stage): Promise<void> {
  using changes = new Changes();
  const { uid, paths } = await findPod(roots, 'default', POD);
  changes.add(paths.dir);
  for (;;) {
    const { object } = await viewPod(roots, uid);
    if (object.status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True') === true) return;
    if (object.status?.phase !== 'Pending' && object.status?.phase !== 'Running') return;
    await changes.next(AbortSignal.timeout(START_MS));
  }
}
