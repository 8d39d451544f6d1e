import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { digestOf } from '../../src/image/digest.ts';
import type { PullOptions } from '../../src/image/registry/pull.ts';
import { type ImageStore, openImageStore } from '../../src/image/store.ts';
import { type TestImage, tar } from '../support/images.ts';
import { type Decide, FaultProxy } from '../support/fault-proxy.ts';
import { Registry } from '../support/registry.ts';
import { Servers, nobody } from '../support/servers.ts';

const never = new AbortController().signal;
const options: PullOptions = { env: {}, patience: { tries: 4, first: 10, longest: 2000, stall: 500 } };
const big = randomBytes(3 * 1024 * 1024);

describe('a pull from a registry', () => {
  let registry: Registry;
  let image: TestImage;
  let dir: string;
  let store: ImageStore;

  beforeAll(async () => {
    registry = await Registry.start();
    const layers = await Promise.all([
      tar([{ name: 'a', content: 'a' }]),
      tar([{ name: 'big', content: big }]),
      tar([{ name: 'c', content: 'c' }]),
      tar([{ name: 'd', content: 'd' }]),
    ]);
    image = { layers, gzip: true, config: { User: '7' } };
    await registry.push(image, 'org/app:1');
  });
  afterAll(() => registry[Symbol.asyncDispose]());
  beforeEach(() => {
    dir = mkdtempSync('/tmp/mrt-p-');
    store = openImageStore(join(dir, 'r'));
  });
  afterEach(() => {
    rmSync(dir, { recursive: true, force: true });
  });
  const before = (decide: Decide): Promise<FaultProxy> => FaultProxy.before(registry.origin, decide);
  const isBlob = (path: string): boolean => path.includes('/blobs/');

  /** The digest of the largest layer. */
  const largest = async (): Promise<string> => {
    const pulled = await store.pull(`${registry.host}/org/app:1`, never, options);
    const blobs = join(dir, 'r/blobs/sha256');
    const manifest = JSON.parse(readFileSync(join(blobs, pulled.digest.slice(7)), 'utf8')) as {
      layers: { digest: string; size: number }[];
    };
    rmSync(join(dir, 'r'), { recursive: true });
    return manifest.layers.toSorted((a, b) => b.size - a.size)[0]?.digest ?? '';
  };

  /** Nothing half done is left, nothing is known. */
  const expectNothing = async (): Promise<void> => {
    expect(await store.list()).toEqual([]);
    expect(readdirSync(join(dir, 'r/ingest')).filter((name) => !name.startsWith('pull-'))).toEqual([]);
    expect(readdirSync(join(dir, 'r/blobs/sha256'))).toEqual([]);
  };

  test('brings the image, unpacked, by tag and by digest', async () => {
    const name = `${registry.host}/org/app:1`;
    const pulled = await store.pull(name, never, options);
    expect(pulled).toMatchObject({ names: [name], source: 'pulled', config: { user: '7' } });
    const rootfs = await store.rootfs(pulled, never);
    expect(rootfs.layers.some((layer) => existsSync(join(rootfs.store, layer, 'big')))).toBe(true);
    const byDigest = `${registry.host}/org/app@${pulled.digest}`;
    expect((await store.pull(byDigest, never, options)).digest).toBe(pulled.digest);
    expect(await store.find(byDigest)).toMatchObject({ digest: pulled.digest });
  });

  test('brings once what two ask for at the same time', async () => {
    await using proxy = await before(() => undefined);
    const name = `${proxy.host}/org/app:1`;
    const other = openImageStore(join(dir, 'r'));
    const both = await Promise.all([store.pull(name, never, options), other.pull(name, never, options)]);
    expect(new Set(both.map(({ digest }) => digest)).size).toBe(1);
    expect(proxy.paths(/\/blobs\//)).toHaveLength(5);
  });

  test('keeps an index as what it is called by, and takes the image of this host from it', async () => {
    const manifest = { mediaType: 'application/vnd.oci.image.manifest.v1+json' };
    const found = await fetch(`${registry.origin}/v2/org/app/manifests/1`, { headers: { accept: manifest.mediaType } });
    const bytes = Buffer.from(await found.arrayBuffer());
    const ours = { ...manifest, digest: digestOf(bytes), size: bytes.length };
    const here = process.arch === 'x64' ? 'amd64' : process.arch;
    const index = JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      manifests: [
        { ...ours, platform: { os: 'linux', architecture: here } },
        { ...ours, platform: { os: 'unknown', architecture: 'unknown' } },
        { ...ours, platform: { os: 'linux', architecture: 'mips' } },
      ],
    });
    const put = await fetch(`${registry.origin}/v2/org/app/manifests/many`, {
      method: 'PUT',
      headers: { 'content-type': 'application/vnd.oci.image.index.v1+json' },
      body: index,
    });
    expect(put.status).toBe(201);
    const name = `${registry.host}/org/app:many`;
    expect(await store.pull(name, never, options)).toMatchObject({ digest: digestOf(index), names: [name] });
    const byIndex = `${registry.host}/org/app@${digestOf(index)}`;
    await store.sweep(never);
    expect(await store.find(byIndex)).toMatchObject({ config: { user: '7' } });
    const { manifest: inner } = await store.parts(await store.need(byIndex));
    expect(digestOf(inner)).toBe(ours.digest);
    const mips = await store.pull(name, never, { ...options, platform: { os: 'linux', architecture: 'mips' } });
    expect(mips.digest).toBe(ours.digest);
    await expect(
      store.pull(name, never, { ...options, platform: { os: 'linux', architecture: 'vax' } }),
    ).rejects.toMatchObject({ code: 'image.unsupported' });
  });

  test.each<[string, string, RegExp]>([
    ['an image that is not there', 'org/none:1', /404 \(MANIFEST_UNKNOWN/],
    ['a tag that is not there', 'org/app:none', /404 \(MANIFEST_UNKNOWN/],
  ])('says so of %s', async (_what, path, message) => {
    const pull = store.pull(`${registry.host}/${path}`, never, options);
    await expect(pull).rejects.toMatchObject({ code: 'image.not-found' });
    await expect(pull).rejects.toThrow(message);
    await expectNothing();
  });

  test('says so when nobody answers', async () => {
    const pull = store.pull(`127.0.0.1:${await nobody()}/app`, never, options);
    await expect(pull).rejects.toMatchObject({ code: 'registry.unreachable' });
  });

  describe('goes on', () => {
    test.each([429, 500, 502, 503])('after an answer of %i, when the registry says', async (status) => {
      await using proxy = await before(({ path }, times) =>
        path.includes('/manifests/') && times === 0
          ? { kind: 'answer', status, headers: { 'retry-after': '1' } }
          : undefined,
      );
      const began = performance.now();
      await store.pull(`${proxy.host}/org/app:1`, never, options);
      expect(performance.now() - began).toBeGreaterThan(999);
    });

    test('where a download broke', async () => {
      const digest = await largest();
      await using proxy = await before(({ path }, times) =>
        path.endsWith(digest) && times < 2 ? { kind: 'cut', after: 1_000_000 } : undefined,
      );
      await store.pull(`${proxy.host}/org/app:1`, never, options);
      const ranges = proxy.asked.filter(({ path }) => path.endsWith(digest)).map(({ headers }) => headers.range ?? '');
      expect(ranges[0]).toBe('');
      const starts = ranges.slice(1).map((range) => Number(/^bytes=(\d+)-$/.exec(range)?.[1]));
      expect(starts).toHaveLength(2);
      expect(starts[0]).toBeGreaterThan(0);
      expect(starts[1]).toBeGreaterThan(starts[0] ?? 0);
    });

    test('after a stall', async () => {
      const digest = await largest();
      await using proxy = await before(({ path }, times) =>
        path.endsWith(digest) && times === 0 ? { kind: 'stall', after: 100_000 } : undefined,
      );
      await store.pull(`${proxy.host}/org/app:1`, never, options);
      expect(proxy.paths(new RegExp(digest))).toHaveLength(2);
    });
  });

  describe('gives up, and leaves nothing', () => {
    test('when downloads always break', async () => {
      await using proxy = await before(({ path }) => (isBlob(path) ? { kind: 'cut', after: 10 } : undefined));
      const pull = store.pull(`${proxy.host}/org/app:1`, never, options);
      await expect(pull).rejects.toMatchObject({ code: 'registry.unreachable' });
      await expectNothing();
    });

    test('when it is asked to wait for too long', async () => {
      await using proxy = await before(() => ({ kind: 'answer', status: 429, headers: { 'retry-after': '3600' } }));
      const pull = store.pull(`${proxy.host}/org/app:1`, never, options);
      await expect(pull).rejects.toMatchObject({ code: 'registry.unreachable', details: { status: 429 } });
      expect(proxy.paths(/manifests/)).toHaveLength(1);
    });

    test('when it is told to', async () => {
      const stop = new AbortController();
      await using proxy = await before(({ path }) => {
        if (!isBlob(path)) return undefined;
        stop.abort(new Error('no more'));
        return { kind: 'stall', after: 1 };
      });
      await expect(store.pull(`${proxy.host}/org/app:1`, stop.signal, options)).rejects.toThrow('no more');
      await expectNothing();
    });
  });

  describe('refuses', () => {
    test('a blob that is another', async () => {
      await using proxy = await before(({ path }) => (isBlob(path) ? { kind: 'corrupt' } : undefined));
      const pull = store.pull(`${proxy.host}/org/app:1`, never, options);
      await expect(pull).rejects.toMatchObject({ code: 'image.digest-mismatch' });
      await expectNothing();
    });

    test('another manifest than the digest says', async () => {
      const other = `{"schemaVersion":2,"layers":[]}`;
      await using proxy = await before(({ path }) =>
        path.includes('/manifests/') ? { kind: 'answer', status: 200, body: other } : undefined,
      );
      const pull = store.pull(`${proxy.host}/org/app@sha256:${'1'.repeat(64)}`, never, options);
      await expect(pull).rejects.toMatchObject({ code: 'image.digest-mismatch' });
    });

    test('a manifest of another type than its header says', async () => {
      await using proxy = await before(({ path }) =>
        path.includes('/manifests/')
          ? { kind: 'type', contentType: 'application/vnd.docker.distribution.manifest.list.v2+json' }
          : undefined,
      );
      const pull = store.pull(`${proxy.host}/org/app:1`, never, options);
      await expect(pull).rejects.toMatchObject({ code: 'image.invalid' });
    });

    test('a manifest without end', async () => {
      await using servers = new Servers();
      const port = await servers.serve((_request, response) => {
        const more = (): void => void response.write(' '.repeat(65_536), more);
        more();
      });
      const pull = store.pull(`127.0.0.1:${port}/app`, never, options);
      await expect(pull).rejects.toMatchObject({ code: 'image.invalid' });
      await expect(pull).rejects.toThrow(/over 4194304 bytes/);
    });

    test('a layer that is longer than it says', async () => {
      const digest = await largest();
      await using proxy = await before(({ path }) =>
        path.endsWith(digest) ? { kind: 'answer', status: 200, body: ' '.repeat(8 * 1024 * 1024) } : undefined,
      );
      const pull = store.pull(`${proxy.host}/org/app:1`, never, options);
      await expect(pull).rejects.toMatchObject({ code: 'image.digest-mismatch' });
      await expectNothing();
    });

    test('to show what a terminal would obey', async () => {
      const body = JSON.stringify({ errors: [{ code: 'DENIED', message: '\u001b[2J\u009b1m' }] });
      await using proxy = await before(() => ({ kind: 'answer', status: 404, body }));
      await expect(store.pull(`${proxy.host}/org/app:1`, never, options)).rejects.toThrow(/\(DENIED: \?\[2J\?1m\)$/);
    });

    test('to be led around in circles', async () => {
      await using proxy = await before(({ path }) => ({ kind: 'answer', status: 307, headers: { location: path } }));
      const pull = store.pull(`${proxy.host}/org/app:1`, never, options);
      await expect(pull).rejects.toMatchObject({ code: 'registry.unreachable' });
    });
  });
});
