import { Command, CommanderError, Option } from 'commander';
import { nearest } from '../base/nearest.ts';
import { EXIT, exitCodeOf } from './exit-code.ts';
import { renderFailure } from './failure.ts';
import { type GlobalOptions, globalOptions, makeContext } from './globals.ts';
import { type Io, Interrupted } from './io.ts';
import { requireNode } from './node.ts';
import { requireRoot } from './root.ts';
import { type VerbEntry, findVerb, verbs } from './table.ts';
import { type OptionSpec, type Verb, notYet, usage } from './verb.ts';
import { versionText } from './version.ts';

/** Runs one command line; answers the exit status. Whatever is thrown becomes an error on stderr and a status. */
export async function runProgram(io: Io, args: readonly string[]): Promise<number> {
  const { before, command } = splitCommand(args);
  const word = verbWord(before);
  const entry =
    word === undefined ? undefined : findVerb(word === 'help' ? (verbWord(rest(before, word)) ?? word) : word);
  try {
    if (word !== undefined && word !== 'help' && entry === undefined) throw unknownVerb(word);
    if (entry !== undefined && entry.load === undefined) throw notYet(`\`minirt ${entry.name}\``);
    return await parseAndRun(io, before, { entry, command });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
    const failure = error instanceof CommanderError ? fromCommander(error, entry) : error;
    if (!(failure instanceof Interrupted)) io.stderr.write(renderFailure(failure, styleOf(before)));
    return exitCodeOf(failure, entry?.name);
  }
}

async function parseAndRun(
  io: Io,
  before: readonly string[],
  { entry, command }: { entry: VerbEntry | undefined; command: readonly string[] | undefined },
): Promise<number> {
  const outcome = { status: EXIT.ok as number };
  const program = makeProgram(io);
  for (const one of verbs) {
    if (one.load === undefined) continue;
    const sub = program.command(one.name, { hidden: one.hidden === true }).aliases([...(one.aliases ?? [])]);
    sub.summary(one.summary).description(one.summary);
    if (one !== entry) continue;
    // The table pairs every name with its own module, whose options type only that module knows.
    const { verb } = (await one.load()) as { verb: Verb };
    defineVerb(sub, verb);
    const words = command !== undefined && verb.takesCommand !== true ? command : [];
    sub.action(async () => {
      const context = makeContext(io, program.opts<GlobalOptions>());
      const call = { words: [...sub.args, ...words], command: verb.takesCommand === true ? command : undefined };
      requireNode(one.name);
      requireRoot(one.name, process.geteuid?.());
      outcome.status = await verb.run(context, { ...call, options: sub.opts<object>() });
    });
  }
  if (before.length === 0) {
    io.stderr.write(program.helpInformation());
    return EXIT.usage;
  }
  await program.parseAsync([...before], { from: 'user' });
  return outcome.status;
}

function makeProgram(io: Io): Command {
  const program = new Command('minirt');
  program
    .description('Runs Kubernetes Pods on this host, with the lifecycle of a real kubelet and no cluster.')
    .version(versionText(), '-V, --version', 'the version')
    .helpOption('-h, --help', 'this text')
    .helpCommand('help [verb]', 'what a verb does and takes')
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      // Errors are printed once, in one form, by runProgram.
      writeErr: () => undefined,
    })
    .exitOverride();
  for (const spec of globalOptions) program.addOption(option(spec));
  return program;
}

function defineVerb(command: Command, verb: Verb): void {
  if (verb.arguments !== '') command.arguments(verb.arguments);
  for (const spec of verb.options) command.addOption(option(spec));
  if (verb.takesCommand === true) command.usage(`[options] ${verb.arguments} -- command [args...]`);
  if (verb.notes !== undefined) command.addHelpText('after', `\n${verb.notes}`);
}

function option({ flags, text, parse, choices, hidden }: OptionSpec): Option {
  const made = new Option(flags, text);
  if (choices !== undefined) made.choices(choices);
  if (parse !== undefined) made.argParser(parse as (word: string, previous: unknown) => unknown);
  return hidden === true ? made.hideHelp() : made;
}

/** What follows the first `--` belongs to a command that is to be run, and is never looked at. */
function splitCommand(args: readonly string[]): { before: readonly string[]; command: readonly string[] | undefined } {
  const at = args.indexOf('--');
  return at < 0 ? { before: args, command: undefined } : { before: args.slice(0, at), command: args.slice(at + 1) };
}

/** The first word that is neither a global flag nor the value of one. */
function verbWord(args: readonly string[]): string | undefined {
  const withValue = new Set(
    globalOptions.filter(({ flags }) => flags.includes('<')).flatMap(({ flags }) => flags.match(/--?[a-z-]+/g) ?? []),
  );
  for (let i = 0; i < args.length; i++) {
    const word = args[i] ?? '';
    if (!word.startsWith('-')) return word;
    if (withValue.has(word)) i++;
  }
  return undefined;
}

function rest(args: readonly string[], word: string): readonly string[] {
  return args.slice(args.indexOf(word) + 1);
}

function unknownVerb(word: string): Error {
  const names = verbs
    .filter((entry) => entry.load !== undefined)
    .flatMap((entry) => [entry.name, ...(entry.aliases ?? [])]);
  const best = nearest(word, names, 'any');
  const all = '`minirt --help` lists the verbs';
  return usage(`unknown verb "${word}"`, best === undefined ? all : `did you mean \`minirt ${best}\`? ${all}`);
}

function fromCommander(error: CommanderError, entry: VerbEntry | undefined): Error {
  const [first = '', ...more] = error.message.replace(/^error: /, '').split('\n');
  const help = `\`minirt ${entry === undefined ? '' : `${entry.name} `}--help\` shows what it takes`;
  return usage(first, more.length > 0 ? `${more.join(' ').replace(/^\((.*)\)$/, '$1')} ${help}` : help);
}

/** Read off the raw words, because the error may be about the words. */
function styleOf(args: readonly string[]): { json: boolean; stack: boolean } {
  const has = (names: readonly string[], value: string): boolean =>
    args.some((word, i) => {
      const name = names.find((one) => word === one || word.startsWith(`${one}=`) || word === one + value);
      if (name === undefined) return false;
      return word === name ? args[i + 1] === value : word.endsWith(value);
    });
  return {
    json: has(['-o', '--output'], 'json'),
    stack: has(['--log-level'], 'debug') || has(['--log-level'], 'trace'),
  };
}
