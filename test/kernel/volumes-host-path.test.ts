import { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/cli.ts';
import { useHostPods } from '../support/host-pods.ts';
import { mount, umount } from '../support/mounts.ts';

const pods = useHostPods();
/** Stands for the host. */
const place = join(pods.folder, 'host');
const server = createServer();

beforeAll(async () => {
  mkdirSync(join(place, 'dir'), { recursive: true });
  writeFileSync(join(place, 'dir', 'mine'), 'host\n');
  writeFileSync(join(place, 'file'), 'of the host\n');
  symlinkSync('dir', join(place, 'link'));
  await new Promise<void>((resolve) => server.listen(join(place, 'socket'), resolve));
});

afterAll(() => {
  server.close();
});

const at = (name: string, type?: string): object => ({
  volumes: [{ name: 'v', hostPath: { path: name.startsWith('/') ? name : join(place, name), type } }],
});

async function said(line: string, spec: object, mountPath = '/v', readOnly = false): Promise<string> {
  const pod = await pods.start([{ line, volumeMounts: [{ name: 'v', mountPath, readOnly }] }], spec);
  await pod.ended();
  return pod.log();
}

describe('a hostPath', () => {
  test.each([
    ['a folder', 'dir', undefined, 'cat /v/mine', 'host\n'],
    ['a folder that must be one', 'dir', 'Directory', 'cat /v/mine', 'host\n'],
    ['a folder that is there already', 'dir', 'DirectoryOrCreate', 'cat /v/mine', 'host\n'],
    ['a folder behind a link', 'link', 'Directory', 'cat /v/mine', 'host\n'],
    ['a file', 'file', undefined, 'cat /v', 'of the host\n'],
    ['a file that must be one', 'file', 'File', 'cat /v', 'of the host\n'],
    ['a file that is there already', 'file', 'FileOrCreate', 'cat /v', 'of the host\n'],
    ['a socket', 'socket', 'Socket', '[ -S /v ] && echo socket', 'socket\n'],
    ['a character device', '/dev/null', 'CharDevice', 'echo x > /v; wc -c < /v', '0\n'],
  ])('is %s', async (_, name, type, line, expected) => {
    expect(await said(line, at(name, type))).toBe(expected);
  });

  test('may be a file over a file of the image', async () => {
    expect(await said('cat /etc/passwd', at('file', 'File'), '/etc/passwd')).toBe('of the host\n');
  });

  test.each([
    ['folder', 'new/deep', 'DirectoryOrCreate', 'touch /v/x'],
    ['folder, when nothing is said', 'other/deep', undefined, 'touch /v/x'],
    ['empty file', 'dir/new', 'FileOrCreate', 'wc -c < /v; echo x > /v'],
  ])('is made: a %s', async (_, name, type, line) => {
    await said(line, at(name, type));
    const about = statSync(join(place, name));
    expect(about.mode & 0o7777).toBe(about.isDirectory() ? 0o755 : 0o644);
    expect(statSync(join(place, name, about.isDirectory() ? 'x' : '')).isFile()).toBe(true);
  });

  test('stays with all that the pod made of it', async () => {
    await said('echo kept > /v/kept; rm /v/doomed 2>/dev/null; ls /v', at('dir'));
    expect(readFileSync(join(place, 'dir', 'kept'), 'utf8')).toBe('kept\n');
  });

  test('shows what is mounted below it, and only itself is read-only then', async () => {
    mount('tmpfs', join(place, 'dir', 'sub'), 'size=64k');
    try {
      const line = 'stat -fc %T /v/sub; touch /v/x 2>/dev/null || echo ro; touch /v/sub/x && echo rw';
      expect(await said(line, at('dir'), '/v', true)).toBe('tmpfs\nro\nrw\n');
    } finally {
      umount(join(place, 'dir', 'sub'));
    }
  });
});

describe('a hostPath of the wrong type', () => {
  test.each([
    ['file', 'Directory', 'is not a directory'],
    ['file', 'DirectoryOrCreate', 'is not a directory'],
    ['dir', 'File', 'is not a file'],
    ['socket', 'FileOrCreate', 'is not a file'],
    ['absent', 'Directory', 'is not a directory'],
    ['absent', 'File', 'is not a file'],
    ['file', 'Socket', 'is not a socket file'],
    ['file', 'CharDevice', 'is not a character device'],
    ['/dev/null', 'BlockDevice', 'is not a block device'],
  ])('keeps its pod waiting: %s as %s', async (name, type, text) => {
    const pod = await pods.start([{ line: 'true', volumeMounts: [{ name: 'v', mountPath: '/v' }] }], at(name, type));
    const path = name.startsWith('/') ? name : join(place, name);
    const message = `MountVolume.SetUp failed for volume "v" : hostPath type check failed: ${path} ${text}`;
    await eventually(() => {
      expect(pod.journal()).toContain(JSON.stringify(message));
    });
    expect(pod.journal()).toContain('"reason":"FailedMount"');
    expect(pod.journal()).not.toContain('Sandbox');
    await pod.delete();
  });

  test('is mounted once it is right', async () => {
    const pod = await pods.start(
      [{ line: 'cat /v/late', volumeMounts: [{ name: 'v', mountPath: '/v' }] }],
      at('late', 'Directory'),
    );
    await eventually(() => {
      expect(pod.journal()).toContain('FailedMount');
    });
    mkdirSync(join(place, 'late'));
    writeFileSync(join(place, 'late', 'late'), 'there\n');
    await pod.ended();
    expect(pod.log()).toBe('there\n');
  });

  test('waits on with its next owner', async () => {
    const pod = await pods.start(
      [{ line: 'cat /v', volumeMounts: [{ name: 'v', mountPath: '/v' }] }],
      at('later', 'File'),
    );
    await eventually(() => {
      expect(pod.journal().split('FailedMount').length).toBeGreaterThan(2);
    });
    await pods.reopen();
    const taken = await pods.take(pod.view);
    writeFileSync(join(place, 'later'), 'there\n');
    await taken.ended();
    expect(taken.log()).toBe('there\n');
  });
});
