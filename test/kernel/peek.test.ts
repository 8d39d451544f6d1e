import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { execCapture } from '../../src/container/exec.ts';
import { peekContainer, peekImage } from '../../src/helper/peek.ts';
import { TestHost, until } from '../support/containers.ts';
import { execRequest, leavesOf } from '../support/exec.ts';

const LIMIT = 1 << 20;
const never = new AbortController().signal;
const host = new TestHost();
afterAll(() => host.close());
await host.open();
const secret = join(host.dir, 'secret');
writeFileSync(secret, 'of the host\n');

host.layer('below', (root) => {
  mkdirSync(join(root, 'etc'));
  mkdirSync(join(root, 'hidden'));
  writeFileSync(join(root, 'etc', 'passwd'), 'below\n');
  writeFileSync(join(root, 'etc', 'only-below'), 'below\n');
  writeFileSync(join(root, 'etc', 'removed'), 'below\n');
});
host.layer('above', (root) => {
  mkdirSync(join(root, 'etc'));
  mkdirSync(join(root, 'real'));
  writeFileSync(join(root, 'etc', 'passwd'), 'above\n');
  writeFileSync(join(root, 'etc', 'empty'), '');
  writeFileSync(join(root, 'etc', 'binary'), Buffer.from([0, 10, 255, 13, 10, 0]));
  writeFileSync(join(root, 'real', 'file'), 'inside\n');
  execFileSync('mknod', [join(root, 'etc', 'removed'), 'c', '0', '0']);
  execFileSync('mkfifo', [join(root, 'etc', 'fifo')]);
  execFileSync('mknod', [join(root, 'etc', 'null'), 'c', '1', '3']);
  symlinkSync('/real/file', join(root, 'etc', 'absolute'));
  symlinkSync('../../../../../../real/file', join(root, 'etc', 'climbing'));
  symlinkSync(secret, join(root, 'etc', 'to-host'));
  symlinkSync('/proc/1/root' + secret, join(root, 'etc', 'magic'));
  symlinkSync('loop', join(root, 'etc', 'loop'));
  symlinkSync('/real', join(root, 'linked'));
});
const image = { store: host.store, layers: ['above', 'below'] };
const container = await host.run({ args: ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 0.1; done'] });
const { monitor } = execRequest(container, []);

describe('the files of an image', () => {
  test.each([
    ['of the top layer', '/etc/passwd', 'above\n'],
    ['of a lower layer', '/etc/only-below', 'below\n'],
    ['that is empty', '/etc/empty', ''],
    ['behind an absolute link', '/etc/absolute', 'inside\n'],
    ['behind a link that climbs out of the root', '/etc/climbing', 'inside\n'],
    ['behind a linked folder', '/linked/file', 'inside\n'],
    ['named with dots', '/etc/../../etc/./passwd', 'above\n'],
  ])('one %s is read', async (_what, path, text) => {
    expect((await read(path))?.toString()).toBe(text);
  });

  test.each([
    ['that is not there', '/etc/nothing'],
    ['that a higher layer removed', '/etc/removed'],
    ['behind a link to a file of the host', '/etc/to-host'],
    ['behind a link through /proc', '/etc/magic'],
    ['below a file', '/etc/passwd/x'],
  ])('one %s is missing', async (_what, path) => {
    expect(await read(path)).toBeUndefined();
  });

  test.each([
    ['a FIFO', '/etc/fifo'],
    ['a device', '/etc/null'],
    ['a folder', '/etc'],
    ['a link to itself', '/etc/loop'],
  ])('%s is refused at once', async (_what, path) => {
    await expect(read(path)).rejects.toMatchObject({ code: 'image.invalid', details: { path } });
  });

  test('one as long as the limit is read, one byte more is refused', async () => {
    expect((await peekImage(image, [{ path: '/etc/passwd', limit: 6 }], never)).get('/etc/passwd')).toHaveLength(6);
    await expect(peekImage(image, [{ path: '/etc/passwd', limit: 5 }], never)).rejects.toMatchObject({
      code: 'image.invalid',
    });
  });

  test('several are read byte by byte, in one go', async () => {
    const paths = ['/etc/binary', '/etc/nothing', '/etc/passwd', '/etc/empty'];
    const found = await peekImage(
      image,
      paths.map((path) => ({ path, limit: LIMIT })),
      never,
    );
    expect([...found.keys()]).toEqual(paths);
    expect(found.get('/etc/binary')).toEqual(Buffer.from([0, 10, 255, 13, 10, 0]));
    expect(found.get('/etc/passwd')?.toString()).toBe('above\n');
    expect(found.get('/etc/empty')).toHaveLength(0);
  });

  test('a hundred megabytes are refused without being read', async () => {
    host.layer('huge', (root) => {
      mkdirSync(join(root, 'etc'));
      execFileSync('truncate', ['-s', '100M', join(root, 'etc', 'group')]);
    });
    const reading = peekImage({ store: host.store, layers: ['huge'] }, [{ path: '/etc/group', limit: LIMIT }], never);
    await expect(reading).rejects.toMatchObject({ code: 'image.invalid' });
  });

  test('leave no mount behind, and the image as it was', async () => {
    const before = readFileSync('/proc/self/mountinfo', 'utf8');
    const changed = statSync(join(host.store, 'above')).mtimeMs;
    await read('/etc/passwd');
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).toBe(before);
    expect(statSync(join(host.store, 'above')).mtimeMs).toBe(changed);
  });

  test('that is not there is an error of the helper', async () => {
    const gone = peekImage({ store: host.store, layers: ['gone'] }, [{ path: '/etc/passwd', limit: LIMIT }], never);
    await expect(gone).rejects.toMatchObject({ code: 'helper.failed', details: { stage: 'rootfs' } });
  });

  test('are not read after an abort', async () => {
    const stop = AbortSignal.abort(new Error('enough'));
    await expect(peekImage(image, [{ path: '/etc/passwd', limit: LIMIT }], stop)).rejects.toThrow('enough');
  });
});

describe('the files of a container', () => {
  test('are as it has changed them', async () => {
    await inside('echo changed > /etc/passwd; rm -f /etc/plain');
    const found = await peekContainer(monitor, at('/etc/passwd', '/etc/plain'), never);
    expect(found.get('/etc/passwd')?.toString()).toBe('changed\n');
    expect(found.get('/etc/plain')).toBeUndefined();
  });

  test.each([
    ['a link to the host', `ln -s ${secret} /tmp/out`],
    ['a link through /proc/1/root', `ln -s /proc/1/root${secret} /tmp/out`],
    ['a link that climbs', `ln -s ../../../../../../..${secret} /tmp/out`],
  ])('never lead out: %s', async (_what, script) => {
    await inside(`rm -rf /tmp/out; ${script}`);
    expect(await peekContainer(monitor, at('/tmp/out'), never).catch(codeOf)).toSatisfy(
      (found) => found === 'image.invalid' || (found as Map<string, unknown>).get('/tmp/out') === undefined,
    );
  });

  test('behind a magic link of /proc are refused', async () => {
    // The helper is none of the container's processes, so `self` leads nowhere.
    await expect(peekContainer(monitor, at('/proc/1/cwd/etc/passwd'), never)).rejects.toMatchObject({
      code: 'image.invalid',
    });
    expect((await peekContainer(monitor, at('/proc/self/exe'), never)).get('/proc/self/exe')).toBeUndefined();
  });

  test('are read without leaving a cgroup behind', async () => {
    await peekContainer(monitor, at('/etc/passwd'), never);
    await until('no leaf is left', () => leavesOf(container).length === 0);
  });

  test('of a container that is gone are an error', async () => {
    const gone = peekContainer({ ...monitor, socket: join(host.dir, 'none') }, at('/etc/passwd'), never);
    await expect(gone).rejects.toMatchObject({ code: 'helper.failed', details: { stage: 'control' } });
  });
});

async function read(path: string): Promise<Buffer | undefined> {
  return (await peekImage(image, [{ path, limit: LIMIT }], never)).get(path);
}

function at(...paths: readonly string[]): readonly { readonly path: string; readonly limit: number }[] {
  return paths.map((path) => ({ path, limit: LIMIT }));
}

async function inside(script: string): Promise<void> {
  const got = await execCapture(execRequest(container, ['sh', '-c', script]), { signal: never, limit: 4096 });
  expect(got).toMatchObject({ code: 0 });
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown }).code;
}
