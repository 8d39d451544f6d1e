import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execFileSync } from 'node:child_process';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { PullOptions } from '../../src/image/registry/pull.ts';
import { type ImageStore, openImageStore } from '../../src/image/store.ts';
import { makeCertificate } from '../support/certificate.ts';
import { type TestImage, tar } from '../support/images.ts';
import { Registry } from '../support/registry.ts';

const never = new AbortController().signal;
const patience = { tries: 1, first: 10, longest: 1000, stall: 2000 };

describe('registries.conf', () => {
  let dir: string;
  let store: ImageStore;
  let registry: Registry;
  let image: TestImage;

  beforeAll(async () => {
    registry = await Registry.start();
    image = { layers: [await tar([{ name: 'a', content: 'a' }])], gzip: true };
    await registry.push(image, 'hub/library/app:1');
  });
  afterAll(() => registry[Symbol.asyncDispose]());
  beforeEach(() => {
    dir = mkdtempSync('/tmp/mrt-m-');
    store = openImageStore(join(dir, 'r'));
  });
  afterEach(() => {
    rmSync(dir, { recursive: true, force: true });
  });

  const saying = (toml: string, env: Readonly<Record<string, string>> = {}): PullOptions => {
    const file = join(dir, 'registries.conf');
    writeFileSync(file, toml);
    return { env: { ...env, CONTAINERS_REGISTRIES_CONF: file }, patience, certificateFolders: [] };
  };
  const mirror = (location: string): string => `[[registry.mirror]]\nlocation = "${location}"\n`;
  /** A registry that nobody can reach. */
  const gone = 'gone.invalid';

  test('sends a pull to a mirror, and the image keeps its name', async () => {
    const toml = `[[registry]]\nlocation = "${gone}"\n${mirror(`${registry.host}/hub`)}`;
    const pulled = await store.pull(`${gone}/library/app:1`, never, saying(toml));
    expect(pulled.names).toEqual([`${gone}/library/app:1`]);
  });

  test('lets the next one serve when a mirror does not have it', async () => {
    const toml = `[[registry]]\nprefix = "x.example"\nlocation = "${registry.host}/hub"\n${mirror(`${registry.host}/empty`)}`;
    await expect(store.pull('x.example/library/app:1', never, saying(toml))).resolves.toMatchObject({
      source: 'pulled',
    });
  });

  test('tells what became of every place when none has it', async () => {
    const toml = `[[registry]]\nprefix = "x.example"\nlocation = "${registry.host}/none"\n${mirror(`${registry.host}/empty`)}`;
    await expect(store.pull('x.example/library/app:1', never, saying(toml))).rejects.toMatchObject({
      code: 'image.not-found',
      message: expect.stringMatching(/none\/library\/app: .*mirror 127\.\S+\/empty\/library\/app: /) as string,
    });
  });

  test('says that a registry need not be verified', async () => {
    const { certificate, key } = makeCertificate(dir, 'r');
    await using secure = await Registry.start({ tls: { certificate, key } });
    await secure.push(image, 'app:1');
    const name = `${secure.host}/app:1`;
    await expect(store.pull(name, never, saying(''))).rejects.toMatchObject({ code: 'registry.unreachable' });
    await store.pull(name, never, saying(`[[registry]]\nlocation = "${secure.host}"\ninsecure = true\n`));
    expect(await store.find(name)).toBeDefined();
  });

  test('keeps one from being asked at all', async () => {
    const toml = `[[registry]]\nlocation = "${registry.host}"\nblocked = true\n`;
    await expect(store.pull(`${registry.host}/hub/library/app:1`, never, saying(toml))).rejects.toMatchObject({
      code: 'registry.refused',
    });
  });

  test('that is wrong is refused, before anybody is asked', async () => {
    const pull = store.pull(`${registry.host}/hub/library/app:1`, never, saying('[[registry'));
    await expect(pull).rejects.toMatchObject({ code: 'registry.config' });
    expect(await store.list()).toEqual([]);
  });

  describe('a credential helper', () => {
    let closed: Registry;
    const folder = mkdtempSync('/tmp/mrt-h-');

    beforeAll(async () => {
      const file = join(folder, 'htpasswd');
      execFileSync('htpasswd', ['-Bbc', file, 'alice', 'open sesame'], { stdio: 'ignore' });
      closed = await Registry.start({ auth: `auth: {htpasswd: {realm: r, path: ${file}}}` });
      await closed.push(image, 'app:1', ['--dest-creds', 'alice:open sesame']);
    });
    afterAll(async () => {
      await closed[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true });
    });

    /** A config that names a helper, and that helper: a shell script. */
    const helped = (config: object, script: string): PullOptions => {
      const bin = join(dir, 'bin');
      mkdirSync(bin);
      writeFileSync(
        join(bin, 'docker-credential-test'),
        `#!/bin/sh\nread key\necho "$1 $key" >>${dir}/asked\n${script}\n`,
      );
      chmodSync(join(bin, 'docker-credential-test'), 0o755);
      writeFileSync(join(dir, 'config.json'), JSON.stringify(config));
      return saying('', { DOCKER_CONFIG: dir, PATH: `${bin}:${process.env['PATH'] ?? ''}` });
    };
    const answer = `echo '{"ServerURL":"x","Username":"alice","Secret":"open sesame"}'`;
    const unknown = 'echo credentials not found in native keychain; exit 1';

    test.each(['credsStore', 'credHelpers'])('of %s is asked, and what it says is used', async (kind) => {
      const config = kind === 'credsStore' ? { credsStore: 'test' } : { credHelpers: { [closed.host]: 'test' } };
      await store.pull(`${closed.host}/app:1`, never, helped(config, answer));
      expect(readFileSync(join(dir, 'asked'), 'utf8')).toBe(`get ${closed.host}\n`);
    });

    test('is not asked for what the file itself has', async () => {
      const auth = Buffer.from('alice:open sesame').toString('base64');
      const config = { credsStore: 'test', auths: { [closed.host]: { auth } } };
      await store.pull(`${closed.host}/app:1`, never, helped(config, 'exit 3'));
      expect(existsSync(join(dir, 'asked'))).toBe(false);
    });

    test('that knows of none leaves the pull to nobody', async () => {
      const pull = store.pull(`${closed.host}/app:1`, never, helped({ credsStore: 'test' }, unknown));
      await expect(pull).rejects.toThrow('pull access denied');
    });

    test.each([
      ['is not there', { credsStore: 'missing' }, 'docker-credential-missing: there is no such program'],
      ['breaks', { credsStore: 'test' }, 'docker-credential-test: it ended with status 3'],
      ['is no name of a program', { credsStore: '../x' }, 'docker-credential-../x: not the name of a program'],
    ])('that %s is told', async (_, config, message) => {
      const pull = store.pull(`${closed.host}/app:1`, never, helped(config, 'echo secret words; exit 3'));
      await expect(pull).rejects.toMatchObject({
        code: 'registry.refused',
        message: expect.stringContaining(message) as string,
      });
      await expect(pull).rejects.not.toThrow('secret words');
    });
  });
});
