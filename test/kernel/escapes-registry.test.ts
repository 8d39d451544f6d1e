import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PullOptions } from '../../src/image/registry/pull.ts';
import { type ImageStore, openImageStore } from '../../src/image/store.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { tar } from '../support/images.ts';
import { Registry } from '../support/registry.ts';

const never = new AbortController().signal;
const patience = { tries: 2, first: 10, longest: 1000, stall: 2000 };
const options: PullOptions = { env: {}, certificateFolders: [], patience };
const alice = { kind: 'password', username: 'alice', password: 'open sesame' } as const;

describe('a registry that is after credentials', () => {
  let dir: string;
  let store: ImageStore;
  let registry: Registry;

  beforeAll(async () => {
    dir = mkdtempSync('/tmp/mrt-p-');
    store = openImageStore(join(dir, 'r'));
    const file = join(dir, 'htpasswd');
    execFileSync('htpasswd', ['-Bbc', file, alice.username, alice.password], { stdio: 'ignore' });
    registry = await Registry.start({ auth: `auth: {htpasswd: {realm: r, path: ${file}}}` });
    const image = { layers: [await tar([{ name: 'a', content: 'a' }])], gzip: true };
    await registry.push(image, 'app:1', ['--dest-creds', `${alice.username}:${alice.password}`]);
  });
  afterAll(async () => {
    await registry[Symbol.asyncDispose]();
    rmSync(dir, { recursive: true, force: true });
  });

  test.each([307, 302])(
    'CVE-2020-15157: credentials stay with the registry when it leads elsewhere: %i',
    async (status) => {
      await using foreign = await FaultProxy.before(registry.origin, () => undefined);
      await using proxy = await FaultProxy.before(registry.origin, ({ path }) =>
        path.includes('/blobs/')
          ? { kind: 'answer', status, headers: { location: `${foreign.origin}${path}` } }
          : undefined,
      );
      // What it leads to asks for credentials like the registry, and gets none.
      const refused = store.pull(`${proxy.host}/app:1`, never, {
        ...options,
        credentials: [{ key: proxy.host, credentials: alice }],
      });
      await expect(refused).rejects.toMatchObject({ code: 'registry.refused' });
      expect(proxy.asked.some(({ headers }) => headers.authorization !== undefined)).toBe(true);
      expect(foreign.asked).not.toEqual([]);
      expect(foreign.asked.filter(({ headers }) => headers.authorization !== undefined)).toEqual([]);
    },
  );
});
