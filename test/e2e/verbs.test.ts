import { beforeAll, describe, expect, test } from 'vitest';
import { eventually, useCli } from '../support/cli.ts';

const cli = useCli('busybox');

const sh = (line: string, more: object = {}) => ({
  name: 'c',
  image: 'busybox',
  imagePullPolicy: 'IfNotPresent',
  command: ['/bin/sh', '-c', line],
  ...more,
});
const server = "trap 'exit 0' TERM; echo up; while :; do sleep 0.05; done";

async function create(name: string, spec: object, metadata: object = {}): Promise<void> {
  const result = await cli().run('create', '-f', cli().manifest(name, spec, metadata));
  expect(result).toEqual({ code: 0, stdout: `pod/${name} created\n`, stderr: '' });
}

async function createReady(name: string, spec: object, metadata: object = {}): Promise<void> {
  await create(name, spec, metadata);
  await eventually(async () => {
    expect((await cli().run('get', 'pod', name)).stdout).toMatch(/ Running /);
  });
}

const lines = <T>(text: string): T[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as T);

interface Seen {
  readonly metadata: { readonly deletionTimestamp?: string };
  readonly status: {
    readonly phase: string;
    readonly containerStatuses: { readonly state: object; readonly ready: boolean }[];
  };
}

describe('watching', () => {
  test('get -w -o json and events -w tell a whole life, and end with it', async () => {
    await create('life', { restartPolicy: 'Never', containers: [sh(server)] });
    const [watch, events] = [
      cli().start(['get', 'pod', 'life', '-w', '-o', 'json']),
      cli().start(['events', 'life', '-w', '-o', 'json']),
    ];
    await watch.says(/"running"/);
    expect(await cli().run('delete', 'pod', 'life')).toMatchObject({ code: 0 });
    const states = lines<Seen>((await watch.done).stdout).map(({ metadata, status }) => {
      const [one] = status.containerStatuses;
      return [status.phase, Object.keys(one?.state ?? {})[0], one?.ready, metadata.deletionTimestamp !== undefined];
    });
    expect(states[0]).toEqual(['Pending', 'waiting', false, false]);
    expect(states).toContainEqual(['Running', 'running', true, false]);
    expect(states).toContainEqual(['Running', 'running', true, true]);
    expect(states.at(-1)).toEqual(['Succeeded', 'terminated', false, true]);
    const reasons = lines<{ reason: string; kind: string }>((await events.done).stdout);
    expect(reasons.map(({ reason }) => reason)).toEqual(['Pulled', 'Created', 'Started', 'Killing']);
    expect(reasons.every(({ kind }) => kind === 'Event')).toBe(true);
  });

  test('get pods -w prints rows as they change', async () => {
    const watch = cli().start(['get', 'pods', '-w', '-l', 'app=rows']);
    await create('rows', { restartPolicy: 'Never', containers: [sh('sleep 1')] }, { labels: { app: 'rows' } });
    await watch.says(/rows +0\/1 +Completed/);
    watch.kill('SIGINT');
    const { stdout, code } = await watch.done;
    expect(code).toBe(130);
    expect(stdout).toMatch(/^NAME +READY +STATUS.*\nrows[^]*rows +1\/1 +Running[^]*rows +0\/1 +Completed/);
    await cli().run('delete', 'pod', 'rows');
  });
});

describe('logs', () => {
  beforeAll(async () => {
    const count = 'i=0; while [ $i -lt 30 ]; do echo line $i; i=$((i+1)); done; printf end';
    const hook = { postStart: { exec: { command: ['/bin/sh', '-c', 'echo said by the hook'] } } };
    await createReady('chatty', {
      containers: [sh(`${count}; ${server}`, { lifecycle: hook }), sh(server.replace('up', 'other'), { name: 'd' })],
    });
  });

  test('of the default container, which is named', async () => {
    const { stdout, stderr } = await cli().run('logs', 'chatty', '--tail', '2');
    expect(stderr).toBe('Defaulted container "c" out of: c, d\n');
    expect(stdout).toBe('line 29\nendup\n');
  });

  test('of another one, of all, with times, with names', async () => {
    expect((await cli().run('logs', 'pod/chatty', '-c', 'd')).stdout).toBe('other\n');
    expect((await cli().run('logs', 'chatty', '--all-containers', '--tail=1', '--prefix')).stdout).toBe(
      '[pod/chatty/c] endup\n[pod/chatty/d] other\n',
    );
    expect((await cli().run('logs', 'chatty', 'd', '--timestamps')).stdout).toMatch(
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}(Z|[+-]\d\d:\d\d) other\n$/,
    );
    expect((await cli().run('logs', 'chatty', 'd', '--since', '1h')).stdout).toBe('other\n');
    expect((await cli().run('logs', 'chatty', 'd', '--since-time', '2100-01-01T00:00:00Z')).stdout).toBe('');
  });

  test('of hooks, marked', async () => {
    expect((await cli().run('logs', 'chatty', '--hooks')).stdout).toBe('[c postStart] said by the hook\n');
  });

  test('of a container that is not there', async () => {
    expect(await cli().run('logs', 'chatty', '-c', 'x')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /^error\[container\.not-found\]: container x is not valid for pod chatty out of: c, d\n/,
      ) as string,
    });
    expect((await cli().run('logs', 'chatty', '-c', 'c', '-p')).stderr).toMatch(
      /previous terminated container "c" in pod "chatty" not found/,
    );
  });

  test('-f ends with the container', async () => {
    const follow = cli().start(['logs', '-f', 'chatty', '-c', 'c', '--tail', '1']);
    await follow.says(/endup/);
    await cli().run('delete', 'pod', 'chatty');
    expect(await follow.done).toEqual({ code: 0, stdout: 'endup\n', stderr: '' });
  });
});

describe('exec', () => {
  beforeAll(() => createReady('box', { containers: [sh(server), sh(server, { name: 'd' })] }));

  test.each<[what: string, args: string[], result: object]>([
    [
      'ends with the code of its command',
      ['-c', 'c', 'box', '--', 'sh', '-c', 'exit 7'],
      { code: 7, stderr: 'command terminated with exit code 7\n' },
    ],
    ['says which container', ['box', '--', 'true'], { code: 0, stderr: 'Defaulted container "c" out of: c, d\n' }],
    [
      'keeps stdout and stderr apart',
      ['-c', 'c', 'box', '--', 'sh', '-c', 'echo out; echo err >&2'],
      { code: 0, stdout: 'out\n', stderr: 'err\n' },
    ],
    ['is in the right folder', ['-c', 'c', '-w', '/tmp', 'box', '--', 'pwd'], { code: 0, stdout: '/tmp\n' }],
    ['has variables', ['-c', 'c', '-e', 'A=1 2', 'box', '--', 'sh', '-c', 'echo $A'], { code: 0, stdout: '1 2\n' }],
    [
      'knows users by number',
      ['-c', 'c', '-u', '12:34', 'box', '--', 'sh', '-c', 'id -u; id -g'],
      { code: 0, stdout: '12\n34\n' },
    ],
    [
      'leaves the words of the command alone',
      ['-c', 'c', 'box', '--', 'echo', '-n', 'x', '--', '-c'],
      { code: 0, stdout: 'x -- -c' },
    ],
  ])('%s', async (_what, args, result) => {
    expect(await cli().run('exec', ...args)).toMatchObject(result);
  });

  test.each([
    ['/no/such', 127],
    ['nosuch', 127],
    ['/etc', 126],
  ])('of %s ends with %d', async (command, code) => {
    expect(await cli().run('exec', '-c', 'c', 'box', '--', command)).toMatchObject({ code });
  });

  test('passes stdin on with -i, and only then', async () => {
    expect(await cli().start(['exec', '-i', '-c', 'c', 'box', '--', 'cat'], { input: 'a\nb' }).done).toMatchObject({
      stdout: 'a\nb',
    });
    expect(await cli().start(['exec', '-c', 'c', 'box', '--', 'cat'], { input: 'a' }).done).toMatchObject({
      code: 0,
      stdout: '',
    });
  });

  test('-t without a terminal says so and goes on', async () => {
    expect(await cli().run('exec', '-it', '-c', 'c', 'box', '--', 'echo', 'x')).toEqual({
      code: 0,
      stdout: 'x\n',
      stderr: 'Unable to use a TTY - input is not a terminal or the right kind of file\n',
    });
  });

  test('on a terminal has the size of the window', async () => {
    const shell = cli().terminal(['exec', '-it', '-c', 'c', 'box', '--', 'sh'], { cols: 77, rows: 22 });
    let at = await shell.shows(/# /);
    shell.type('stty size; tty\r');
    at = await shell.shows(/22 77\r\n\/dev\/pts\/\d+\r\n/, at);
    shell.resize(100, 40);
    shell.type('stty size\r');
    at = await shell.shows(/40 100\r\n/, at);
    // What it prints is not what is typed: once it is there, the command is the terminal's foreground.
    shell.type(`sh -c 'echo be""gun; exec sleep 1000'\r`);
    at = await shell.shows(/begun\r\n/, at);
    shell.type('\u0003');
    await shell.shows(/# /, at);
    shell.type('exit\r');
    expect(await shell.done).toMatchObject({ code: 130 });
  });
});

describe('the end of a pod', () => {
  test('stop keeps what is known of it, delete does not', async () => {
    await createReady('ended', { containers: [sh(server)] });
    const stopped = await cli().run('stop', 'pod', 'ended');
    expect(stopped).toMatchObject({ code: 0, stdout: 'pod "ended" stopped\n' });
    expect(stopped.stderr).toMatch(/^c: SIGTERM, exited 0 with (30\.0|29\.\d) s of grace left\n$/);
    expect((await cli().run('get', 'pod', 'ended')).stdout).toMatch(/ended +0\/1 +Completed/);
    expect((await cli().run('logs', 'ended')).stdout).toBe('up\n');
    expect((await cli().run('events', 'ended')).stdout).toMatch(/Killing +pod\/ended +Stopping container c\n/);
    expect(await cli().run('exec', 'ended', '--', 'true')).toMatchObject({
      code: 125,
      stderr: expect.stringContaining(
        'cannot exec into a container in a completed pod; current phase is Succeeded',
      ) as string,
    });
    expect(await cli().run('stop', 'ended')).toMatchObject({ code: 0, stderr: 'pod "ended" had already ended\n' });
    expect(await cli().run('delete', 'pod/ended')).toMatchObject({
      code: 0,
      stdout: 'pod "ended" deleted from default namespace\n',
    });
    expect(await cli().run('logs', 'ended')).toMatchObject({ code: 1 });
  });

  test('delete --now and --grace-period shorten it', async () => {
    const deaf = "trap '' TERM; while :; do sleep 0.05; done";
    await createReady('deaf', { containers: [sh(deaf)] });
    const begun = Date.now();
    const { stderr } = await cli().run('delete', 'pod', 'deaf', '--now');
    expect(stderr).toMatch(/c: killed 2\.0 s after SIGTERM/);
    expect(Date.now() - begun).toBeLessThan(10_000);
  });

  test('delete of several tells of each, and of those that are not there', async () => {
    await create('a', { containers: [sh(server)] });
    await create('b', { containers: [sh(server)] });
    const { code, stdout, stderr } = await cli().run('delete', 'pod', 'a', 'b', 'missing');
    expect(code).toBe(1);
    expect(stdout.split('\n').toSorted()).toEqual([
      '',
      'pod "a" deleted from default namespace',
      'pod "b" deleted from default namespace',
    ]);
    expect(stderr).toContain('error[pod.not-found]: pods "missing" not found');
  });

  test('delete -f names the pods of a manifest; -n is another world', async () => {
    const file = cli().manifest('there', { containers: [sh(server)] });
    expect(await cli().run('create', '-n', 'elsewhere', '-f', file)).toMatchObject({ code: 0 });
    expect((await cli().run('get', 'pods')).stdout).not.toContain('there');
    expect((await cli().run('get', 'pods', '-A')).stdout).toMatch(/^NAMESPACE +NAME.*\n[^]*elsewhere +there/);
    expect(await cli().run('delete', '-n', 'elsewhere', '-f', file)).toMatchObject({
      code: 0,
      stdout: 'pod "there" deleted from elsewhere namespace\n',
    });
  });
});

describe('what is shown of a pod', () => {
  beforeAll(() => createReady('shown', { containers: [sh(server)] }, { labels: { app: 'shown' } }));

  test('is a true v1 Pod', async () => {
    const { stdout } = await cli().run('get', 'pod', 'shown', '-o', 'yaml');
    expect(stdout).toMatch(/^apiVersion: v1\nkind: Pod\nmetadata:\n/);
    expect(stdout).toMatch(/\n {2}phase: Running\n/);
    expect(await cli().pod('shown')).toMatchObject({
      kind: 'Pod',
      metadata: { name: 'shown' },
      status: { phase: 'Running' },
    });
    expect((await cli().run('get', 'pods', '-l', 'app=shown', '-o', 'name')).stdout).toBe('pod/shown\n');
    expect((await cli().run('get', 'pod', 'shown', '-o', 'wide', '--no-headers')).stdout).toMatch(
      /^shown +1\/1 +Running +0 +\d+s +\d+\.\d+\.\d+\.\d+ +\S+ +<none> +<none>\n$/,
    );
  });

  test('does not hide behind those that are not there', async () => {
    const listed = await cli().run('get', 'pods', 'none', 'shown', 'nobody');
    expect(listed).toMatchObject({ code: 1, stdout: expect.stringMatching(/^NAME.*\nshown /) as string });
    expect(listed.stderr.match(/error\[pod.not-found\]: pods "(none|nobody)" not found/g)).toHaveLength(2);
    expect(await cli().run('describe', 'pod', 'none', 'shown')).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^Name: +shown\n/) as string,
    });
  });

  test('and described', async () => {
    const { stdout, code } = await cli().run('describe', 'pod', 'shown');
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^Name: +shown\n[^]*Containers:\n {2}c:\n[^]*State: +Running\n[^]*Events:\n[^]*Container started\n$/,
    );
  });
});

describe('images', () => {
  test('are listed with where they came from', async () => {
    expect((await cli().run('images')).stdout).toMatch(/busybox +latest[^]*recipe/);
  });
});
