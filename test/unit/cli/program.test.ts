import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { exitCodeOf } from '../../../src/cli/exit-code.ts';
import { Interrupted, type Io } from '../../../src/cli/io.ts';
import { runProgram } from '../../../src/cli/program.ts';
import { MinirtError } from '../../../src/base/errors.ts';

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const io = {
    stdin: new PassThrough(),
    stdout,
    stderr,
    env: { MINIRT_ROOT: '/nonexistent/root', MINIRT_STATE: '/nonexistent/state' },
    signal: new AbortController().signal,
    onInterrupt: () => () => undefined,
  } as unknown as Io;
  const code = await runProgram(io, args);
  const text = (stream: PassThrough): string => (stream.read() as Buffer | null)?.toString() ?? '';
  return { code, out: text(stdout), err: text(stderr) };
}

describe('the command line', () => {
  test.each<[line: string, code: number, err: RegExp]>([
    ['gte pods', 2, /^error\[usage\]: unknown verb "gte"\nhint: did you mean `minirt get`\?/],
    ['wait pod x', 2, /^error\[usage\]: `minirt wait` is not yet supported/],
    ['get', 2, /^error\[usage\]: missing required argument 'what'/],
    ['get pods --frobnicate', 2, /^error\[usage\]: unknown option '--frobnicate'/],
    ['get pods -o jsonpath={.items', 2, /error parsing jsonpath \{\.items, unclosed action/],
    ['get pods -o jsonpath', 2, /template format specified but no template given/],
    ['get pods -o custom-columns=A:.b', 2, /-o custom-columns is not yet supported/],
    ['get pods --field-selector a.b=c', 2, /field label not supported: a\.b\nhint: supported: metadata\.name, /],
    ['get pod x --field-selector status.phase=Running', 2, /name pods or select them, not both/],
    ['get pods -l a~b', 2, /selector: cannot understand/],
    ['get pods -l a~b -w', 2, /selector: cannot understand/],
    ['get events --field-selector status.phase=x', 2, /field label not supported: status\.phase/],
    ['get pods -o frob', 2, /unable to match a printer suitable for the output format "frob"/],
    ['get pod x', 1, /^error\[pod.not-found\]: pods "x" not found\n/],
    ['-n ns get pod x', 1, /pods "x" not found/],
    ['get pod x -n Bad_NS', 2, /-n: "Bad_NS" is not a namespace/],
    ['get pod x -A', 2, /cannot be retrieved by name across all namespaces/],
    ['delete x', 2, /the kind "x" is not known/],
    ['delete pods', 2, /no name was specified/],
    ['delete pod x', 1, /pods "x" not found/],
    ['delete pod x --ignore-not-found', 0, /^$/],
    ['stop', 2, /name pods, or say --all/],
    ['logs x', 1, /pods "x" not found in namespace "default"/],
    ['logs x --deleted', 1, /pods "x" not found among those that were deleted/],
    ['logs x -f --deleted', 2, /nothing more comes of a deleted pod/],
    ['describe pod x --deleted', 1, /pods "x" not found among/],
    ['events x --deleted', 1, /pods "x" not found among/],
    ['logs x --tail many', 2, /--tail: "many" is not a whole number/],
    ['create', 2, /must specify -f/],
    ['create -f /nonexistent/file', 2, /the path "\/nonexistent\/file" does not exist/],
    ['run', 2, /name one manifest/],
    ['run /nonexistent/file --pull often', 2, /Allowed choices are always, missing, never/],
    ['run /nonexistent/file --until soon', 2, /--until: "soon" is neither/],
    ['exec x -- true', 125, /pods "x" not found/],
    ['exec x true', 125, /exec \[POD\] \[COMMAND\] is not supported anymore/],
    ['exec x', 125, /you must specify at least one command/],
    ['exec', 125, /missing required argument 'pod'/],
    ['exec x -c c --tty=maybe -- true', 125, /error/],
  ])('%s', async (line, code, err) => {
    const result = await run(...line.split(' '));
    expect(result.err).toMatch(err);
    expect(result).toMatchObject({ code, out: '' });
  });

  test('says an error as JSON where the output is JSON', async () => {
    const { err, code } = await run('get', 'pod', 'x', '-o', 'json');
    expect(code).toBe(1);
    expect(JSON.parse(err)).toEqual({ error: { code: 'pod.not-found', message: 'pods "x" not found' } });
  });

  test('shows a stack only when debugging', async () => {
    expect((await run('get', 'pod', 'x')).err).not.toMatch(/at .*\.ts/);
    expect((await run('get', 'pod', 'x', '--log-level', 'debug')).err).toMatch(/at .*\.ts/);
  });

  test('lists nothing in an empty namespace', async () => {
    expect(await run('get', 'pods')).toEqual({ code: 0, out: '', err: 'No resources found in default namespace.\n' });
    expect(JSON.parse((await run('get', 'pods', '-o', 'json')).out)).toMatchObject({ kind: 'List', items: [] });
    expect(JSON.parse((await run('events', '-o', 'json')).out)).toMatchObject({ kind: 'EventList', items: [] });
  });

  test.each(['run', 'get', 'exec', 'logs', 'delete', 'events', 'create', 'stop', 'images', 'load', 'demo', 'serve'])(
    'tells what %s takes',
    async (verb) => {
      const [first, second] = [await run(verb, '--help'), await run('help', verb)];
      expect(first).toMatchObject({ code: 0, err: '' });
      expect(first.out).toMatch(new RegExp(`^Usage: minirt ${verb}`));
      expect(second).toEqual(first);
    },
  );

  test('says its version', async () => {
    const { out } = await run('--version');
    expect(out).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect((await run('version')).out).toContain(out.trim());
  });

  test('without words says what there is', async () => {
    expect(await run()).toMatchObject({ code: 2, err: expect.stringMatching(/^Usage: minirt/) as string });
    expect((await run('--help')).out).toMatch(/run .*the pods of a manifest/);
  });
});

test.each<[error: Error, verb: string, code: number]>([
  [new MinirtError('pod.not-found', ''), 'get', 1],
  [new MinirtError('manifest.invalid', ''), 'run', 2],
  [new MinirtError('helper.failed', ''), 'run', 125],
  [new MinirtError('pod.not-found', ''), 'exec', 125],
  [new MinirtError('deadline.exceeded', ''), 'run', 124],
  [new Error('a bug'), 'get', 125],
  [new Interrupted('SIGINT'), 'logs', 130],
  [new Interrupted('SIGTERM'), 'exec', 143],
])('%s of %s ends with %d', (error, verb, code) => {
  expect(exitCodeOf(error, verb)).toBe(code);
});
