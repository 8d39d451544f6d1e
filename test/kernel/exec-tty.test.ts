import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { spawn as spawnPty } from 'node-pty';
import { afterAll, describe, expect, test } from 'vitest';
import type { ExecRequest } from '../../src/container/exec.ts';
import type { ProcessSpec } from '../../src/container/spec.ts';
import { helperPath } from '../../src/helper/locate.ts';
import type { Op } from '../../src/helper/plan.ts';
import { Terminal } from '../support/cli.ts';
import { TestHost, type TestContainer, until } from '../support/containers.ts';
import { buildInto, clientArgs, commandOf, execRequest, leavesOf, pidsOf } from '../support/exec.ts';

const SIGTERM = 15;
const SIGHUP = 1;
const host = new TestHost();
afterAll(() => host.close());
await host.open();
const container = await host.run({ args: ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 0.1; done'] });

describe('the terminal', () => {
  test('is one of the container, with the right size before the command starts', async () => {
    const { terminal } = open(['sh', '-c', 'tty; stty size; ls -1 /dev/pts'], { cols: 91, rows: 37 });
    expect(await terminal.done).toMatchObject({ code: 0 });
    expect(terminal.screen).toBe('/dev/pts/0\r\n37 91\r\n0\r\nptmx\r\n');
  });

  test('has the size that was asked for, whatever that of the caller is', async () => {
    const { terminal } = open(['sh', '-c', 'stty size; kill -WINCH $$; stty size'], {
      more: [['winsize', '11', '22']],
    });
    await terminal.done;
    expect(terminal.screen).toBe('11 22\r\n11 22\r\n');
  });

  test('follows the size of the caller', async () => {
    const { terminal } = open(['sh', '-c', 'trap "stty size" WINCH; echo ready; while :; do sleep 0.05; done']);
    const at = await terminal.shows(/ready/);
    terminal.resize(123, 45);
    await terminal.shows(/45 123/, at);
    terminal.type('\u0003');
    await terminal.done;
  });

  test('belongs to the user of the command', async () => {
    const user = { uid: 1000, gid: 1000, groups: [1000], home: '/' };
    const { terminal } = open(['sh', '-c', 'stat -c "%u %a" $(tty)'], { process: { user, capabilities: [] } });
    await terminal.done;
    expect(terminal.screen).toBe('1000 620\r\n');
  });

  test('is all that the command has, and it controls it', async () => {
    const script = 'cd /proc/$$/fd; ls -1; for fd in 0 1 2; do readlink $fd; done; cut -d" " -f7 /proc/$$/stat';
    const { terminal } = open(['sh', '-c', script]);
    await terminal.done;
    // The last number is the device of the controlling terminal: pts is major 136.
    const pts = '/dev/pts/0';
    expect(terminal.screen.split('\r\n')).toEqual(['0', '1', '2', pts, pts, pts, String(136 << 8), '']);
  });

  test('gives the exit status of the command', async () => {
    expect(await open(['sh', '-c', 'exit 7']).terminal.done).toMatchObject({ code: 7 });
    const missing = open(['nope']).terminal;
    expect(await missing.done).toMatchObject({ code: 127 });
    expect(missing.screen).toContain('exec failed: exec: "nope": executable file not found in $PATH');
  });
});

describe('output on a terminal', () => {
  test('is complete a hundred times, however short it is', async () => {
    for (let n = 0; n < 100; n++) {
      const { terminal } = open(['echo', `run ${n}`]);
      await terminal.done;
      expect(terminal.screen).toBe(`run ${n}\r\n`);
    }
  });

  test('is complete when it is much', async () => {
    const { terminal } = open([
      'sh',
      '-c',
      'dd if=/dev/zero bs=1000 count=200 2>/dev/null | tr "\\0" x; echo; echo end',
    ]);
    await terminal.done;
    expect(terminal.screen.length).toBe(200_000 + 2 + 5);
    expect(terminal.screen.endsWith('\r\nend\r\n')).toBe(true);
  });

  test('does not wait for a background child that holds the terminal', async () => {
    const { terminal } = open(['sh', '-c', 'trap "" HUP; sleep 1000 & echo done']);
    expect(await terminal.done).toMatchObject({ code: 0 });
    expect(terminal.screen).toBe('done\r\n');
  });
});

describe('keys', () => {
  test('Ctrl-C interrupts the command of the shell, and the shell goes on', async () => {
    const { terminal } = open(['sh', '-i']);
    await prompt(terminal);
    terminal.type('sleep 1006\r');
    await terminal.shows(/sleep 1006\r\n/);
    await until('sleep runs', () => names(container).includes('S sleep 1006'));
    terminal.type('\u0003');
    const at = await terminal.shows(/\^C/);
    terminal.type('echo code=$?\r');
    await terminal.shows(/code=130/, at);
    terminal.type('exit 4\r');
    expect(await terminal.done).toMatchObject({ code: 4 });
  });

  test('Ctrl-Z stops the command, and fg takes it up again', async () => {
    const { terminal } = open(['sh', '-i']);
    await prompt(terminal);
    terminal.type('sleep 1001\r');
    await until('sleep runs', () => names(container).includes('S sleep 1001'));
    terminal.type('\u001a');
    await until('sleep is stopped', () => names(container).includes('T sleep 1001'));
    await prompt(terminal, await terminal.shows(/Stopped/));
    terminal.type('fg\r');
    await until('sleep runs again', () => names(container).includes('S sleep 1001'));
    const at = terminal.screen.length;
    terminal.type('\u0003');
    await prompt(terminal, at);
    terminal.type('echo code=$?; exit\r');
    await terminal.shows(/code=130/, at);
    await terminal.done;
  });

  test('reach a command that reads them one by one', async () => {
    const { terminal } = open(['sh', '-c', 'stty raw -echo; echo ready; dd bs=1 count=3 2>/dev/null | od -An -tx1']);
    await terminal.shows(/ready/);
    terminal.type('\u0003\u001a\u0004');
    await terminal.done;
    expect(terminal.screen).toContain(' 03 1a 04');
  });
});

describe('the mode of the own terminal', () => {
  test.each([
    ['the command ended', ['true'], undefined, 0],
    ['the command was not found', ['nope'], undefined, 127],
    ['the client got SIGTERM', ['sleep', '1002'], 'TERM', 128 + SIGTERM],
    ['the client got SIGHUP', ['sleep', '1003'], 'HUP', 128 + SIGHUP],
  ])('is as before when %s', async (_when, args, signal, code) => {
    const { terminal, request } = open(args, { around: true });
    await terminal.shows(/before=\d+/);
    if (signal !== undefined) {
      await until('it runs', () => pidsOf(container, request).length > 0);
      const pid = /helper=(\d+)/.exec(terminal.screen)?.[1];
      process.kill(Number(pid), `SIG${signal}`);
    }
    await terminal.done;
    const [, before] = /before=(\d+)/.exec(terminal.screen) ?? [];
    expect(terminal.screen).toContain(`code=${code} after=${before}\r\n`);
    await until('its leaf is gone', () => pidsOf(container, request).length === 0);
  });

  test('is left alone when the command does not read it', async () => {
    const { terminal, request } = open(['sleep', '1004'], { process: { stdin: false } });
    await until('it runs', () => pidsOf(container, request).length > 0);
    terminal.type('\u0003');
    expect(await terminal.done).toMatchObject({ code: 130 });
    await until('it is gone', () => !leavesOf(container).includes(`exec-${request.id}`));
  });
});

describe('a client that is Node', () => {
  const built = buildInto(host.dir);

  test('is not ended by Ctrl-C, and answers the exit status', async () => {
    const { terminal } = openNode(built, ['sh', '-i']);
    await prompt(terminal);
    terminal.type('\u0003');
    terminal.type('exit 9\r');
    expect(await terminal.done).toMatchObject({ code: 9 });
  });

  test('takes the command along when it is killed, and leaves the terminal as it was', async () => {
    const { terminal, request } = openNode(built, ['sh', '-c', 'sleep 1005 & sleep 1005']);
    await until('it runs', () => pidsOf(container, request).length === 2);
    const node = Number(/node=(\d+)/.exec(terminal.screen)?.[1]);
    process.kill(node, 'SIGKILL');
    await until('the command is gone', () => pidsOf(container, request).length === 0);
    await terminal.done;
    const [, before] = /before=(\d+)/.exec(terminal.screen) ?? [];
    expect(terminal.screen).toContain(`code=137 after=${before}\r\n`);
  });
});

interface OpenOptions {
  readonly cols?: number;
  readonly rows?: number;
  readonly process?: Partial<ProcessSpec>;
  readonly more?: readonly Op[];
  /** Print the terminal's mode before and after. */
  readonly around?: boolean;
}

/** A client on a terminal, as a shell would start it. */
function open(
  args: readonly string[],
  { cols = 80, rows = 24, process = {}, more = [], around = false }: OpenOptions = {},
): { terminal: Terminal; request: ExecRequest } {
  const request = execRequest(container, args, { terminal: true, stdin: true, ...process });
  const words = clientArgs(host.dir, request, more);
  const argv = around
    ? [
        '-c',
        `${mode('before')}; (echo "helper=$(exec sh -c 'echo $PPID')"; exec "$1" exec 3<"$2"); ${after}`,
        ...words.slice(2),
      ]
    : [...words];
  return { terminal: new Terminal(spawnPty('/bin/sh', argv, { cols, rows, name: 'xterm' })), request };
}

/** The same with `execInteractive` of a Node process between the terminal and the helper. */
function openNode(built: string, args: readonly string[]): { terminal: Terminal; request: ExecRequest } {
  const request = execRequest(container, args, { terminal: true, stdin: true });
  const script = join(host.dir, `client-${request.id}.js`);
  writeFileSync(
    script,
    `import { execInteractive } from '${built}/container/exec.js';
     console.log('node=' + process.pid);
     process.exitCode = await execInteractive(${JSON.stringify(request)});`,
  );
  const argv = [
    '-c',
    `${mode('before')}; "$1" "$2"; code=$?; ${settled}; echo "code=$code $(${mode('after')})"; exit $code`,
    'sh',
    process.execPath,
    script,
  ];
  const env = { ...process.env, MINIRT_HELPER: helperPath() };
  return { terminal: new Terminal(spawnPty('/bin/sh', argv, { cols: 80, rows: 24, name: 'xterm', env })), request };
}

/** A number for how the terminal is set; the size is not part of it. */
function mode(name: string): string {
  return `echo "${name}=$(stty -g | cksum | cut -d' ' -f1)"`;
}
const after = `echo "code=$? $(${mode('after')})"`;
/** The helper outlives a killed Node for a moment: it restores the terminal as the last thing. */
const settled = `for n in 1 2 3 4 5 6 7 8 9 10; do stty -a | grep -q ' -icanon' || break; sleep 0.1; done`;

/** busybox asks the terminal where the cursor is. */
async function prompt(terminal: Terminal, from = 0): Promise<void> {
  await terminal.shows(/# (\u001b\[6n)?$/, from);
}

/** State and command line of what was executed in the container, seen from the host. */
function names(of: TestContainer): readonly string[] {
  return leavesOf(of).flatMap((leaf) => pidsOf(of, { id: leaf.slice('exec-'.length) }).map((pid) => commandOf(pid)));
}
