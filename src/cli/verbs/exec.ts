import { execInPod, refuseCompleted } from '../../pod/exec.ts';
import { findPod } from '../../pod/view.ts';
import { chooseContainer } from '../containers.ts';
import { type Io, tell } from '../io.ts';
import { type Verb, usage } from '../verb.ts';
import { podName } from '../words.ts';

interface Options {
  readonly stdin?: boolean;
  readonly tty?: boolean;
  readonly container?: string;
  readonly user?: string;
  readonly workdir?: string;
  readonly env?: readonly string[];
  readonly quiet?: boolean;
}

export const verb: Verb<Options> = {
  arguments: '<pod> [rest...]',
  takesCommand: true,
  options: [
    { flags: '-i, --stdin', text: 'pass stdin on' },
    { flags: '-t, --tty', text: 'a terminal for the command; with -i' },
    { flags: '-c, --container <name>', text: 'instead of the first one' },
    { flags: '-u, --user <user>', text: 'USER[:GROUP], names of the image or numbers' },
    { flags: '-w, --workdir <dir>', text: "instead of the container's" },
    { flags: '-e, --env <pair>', text: 'K=V, repeatable', parse: addPair },
    { flags: '-q, --quiet', text: 'only the output of the command' },
  ],
  notes: "Ends with the command's own status; 126 not executable, 127 not found, 125 minirt could not run it.",
  async run(context, { words, command, options }) {
    const { io, roots, namespace } = context;
    const [word = '', ...more] = words;
    if (more.length > 0) {
      throw usage(
        'exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead',
        'see `minirt exec --help`',
      );
    }
    if (command === undefined || command.length === 0) {
      throw usage('you must specify at least one command for the container', `minirt exec ${word} -- COMMAND`);
    }
    const view = await findPod(roots, namespace, podName(word));
    const quiet = options.quiet === true;
    const note = (line: string): void => {
      if (!quiet) tell(io, line);
    };
    refuseCompleted(view);
    const container = chooseContainer(view, options.container, note);
    const stdin = options.stdin === true;
    // Signals are the command's: the process that carries it hears them itself, and its end is ours.
    const stop = io.onInterrupt(() => undefined);
    const code = await execInPod(roots, view, {
      container,
      command,
      stdin,
      tty: options.tty === true && stdin && isTerminal(io, note),
      ...(options.user === undefined ? {} : { user: options.user }),
      ...(options.workdir === undefined ? {} : { cwd: options.workdir }),
      env: options.env ?? [],
    }).finally(stop);
    if (code !== 0 && !quiet) tell(io, `command terminated with exit code ${code}`);
    return code;
  },
};

/** kubectl's rule: without stdin there is no terminal, and one is given only to a terminal. */
function isTerminal({ stdin }: Io, note: (line: string) => void): boolean {
  if (!stdin.isTTY) note('Unable to use a TTY - input is not a terminal or the right kind of file');
  return stdin.isTTY;
}

function addPair(word: string, previous: readonly string[] | undefined): readonly string[] {
  if (!/^[^=]+=/.test(word)) throw usage(`-e: "${word}" is not K=V`);
  return [...(previous ?? []), word];
}
