import { execFileSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { keepCredentials } from '../../src/image/registry/auth-files.ts';
import type { Credentials, KnownCredentials } from '../../src/image/registry/credentials.ts';
import { checkLogin } from '../../src/image/registry/login.ts';
import type { PullOptions } from '../../src/image/registry/pull.ts';
import { type ImageStore, openImageStore } from '../../src/image/store.ts';
import { makeCertificate } from '../support/certificate.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { type TestImage, tar } from '../support/images.ts';
import { Registry } from '../support/registry.ts';
import { Servers } from '../support/servers.ts';
import { TokenServer } from '../support/token-server.ts';

const never = new AbortController().signal;
const certificateFolders: readonly string[] = [];
const options: PullOptions = {
  env: {},
  certificateFolders,
  patience: { tries: 2, first: 10, longest: 1000, stall: 2000 },
};
const as = (username: string, password: string): Credentials => ({ kind: 'password', username, password });
const alice = as('alice', 'open sesame');

describe('what a registry asks of who pulls', () => {
  let dir: string;
  let files: string;
  let store: ImageStore;
  let image: TestImage;

  const withPassword = (): string => {
    const file = join(files, 'htpasswd');
    execFileSync('htpasswd', ['-Bbc', file, 'alice', 'open sesame'], { stdio: 'ignore' });
    return `auth: {htpasswd: {realm: r, path: ${file}}}`;
  };
  const known = (host: string, ...credentials: readonly Credentials[]): PullOptions => ({
    ...options,
    credentials: credentials.map((one): KnownCredentials => ({ key: host, credentials: one })),
  });

  beforeAll(async () => {
    files = mkdtempSync('/tmp/mrt-a-');
    image = { layers: [await tar([{ name: 'a', content: 'a' }])], gzip: true };
  });
  afterAll(() => {
    rmSync(files, { recursive: true, force: true });
  });
  beforeEach(() => {
    dir = mkdtempSync('/tmp/mrt-p-');
    store = openImageStore(join(dir, 'r'));
  });
  afterEach(() => {
    rmSync(dir, { recursive: true, force: true });
  });

  describe('a name and a password', () => {
    let registry: Registry;
    const pull = (how: PullOptions): Promise<unknown> => store.pull(`${registry.host}/app:1`, never, how);

    beforeAll(async () => {
      registry = await Registry.start({ auth: withPassword() });
      await registry.push(image, 'app:1', ['--dest-creds', 'alice:open sesame']);
    });
    afterAll(() => registry[Symbol.asyncDispose]());

    test('are given', async () => {
      expect(await pull(known(registry.host, alice))).toMatchObject({ source: 'pulled' });
    });

    test('are tried one after the other', async () => {
      expect(await pull(known(registry.host, as('bob', 'x'), alice))).toMatchObject({ source: 'pulled' });
    });

    test.each<[string, readonly Credentials[], RegExp]>([
      ['none', [], /minirt login/],
      ['wrong ones', [as('alice', 'wrong')], /do not do/],
    ])('are refused: %s', async (_what, credentials, hint) => {
      const refused = pull(known(registry.host, ...credentials));
      await expect(refused).rejects.toMatchObject({ code: 'registry.refused' });
      await expect(refused).rejects.toMatchObject({ hint: expect.stringMatching(hint) as string });
    });

    test('of another registry are not given', async () => {
      await expect(pull(known('127.0.0.1:1', alice))).rejects.toMatchObject({ code: 'registry.refused' });
    });

    test('are kept by login, found by pull, and forgotten by logout', async () => {
      const env = { DOCKER_CONFIG: join(dir, 'docker') };
      mkdirSync(env.DOCKER_CONFIG);
      const file = join(env.DOCKER_CONFIG, 'config.json');
      writeFileSync(file, JSON.stringify({ credsStore: 'x', auths: { 'a.io': { auth: 'eDp5' } } }));
      const how = { ...options, env };
      await checkLogin(registry.host, alice, { ...how, signal: never });
      expect(await keepCredentials(env, registry.host, { username: 'alice', password: 'open sesame' })).toBe(file);
      expect(statSync(file).mode & 0o777).toBe(0o600);
      expect(await pull(how)).toMatchObject({ source: 'pulled' });
      expect(await keepCredentials(env, registry.host, undefined)).toBe(file);
      expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ credsStore: 'x', auths: { 'a.io': { auth: 'eDp5' } } });
      expect(await keepCredentials(env, registry.host, undefined)).toBeUndefined();
      await expect(pull(how)).rejects.toMatchObject({ code: 'registry.refused' });
    });

    test('are refused at the login', async () => {
      const login = checkLogin(registry.host, as('alice', 'wrong'), { ...options, signal: never });
      await expect(login).rejects.toMatchObject({ code: 'registry.refused' });
    });
  });

  describe('a token', () => {
    let certificate: { key: string; certificate: string };

    const servers = async (life?: number): Promise<{ tokens: TokenServer; registry: Registry }> => {
      const tokens = await TokenServer.start({
        key: createPrivateKey(readFileSync(certificate.key)),
        certificate: readFileSync(certificate.certificate, 'utf8'),
        user: { name: 'alice', password: 'open sesame', identity: 'who-i-am' },
        ...(life === undefined ? {} : { life }),
      });
      const auth = `auth: {token: {realm: '${tokens.realm}', service: s, issuer: minirt-tests, rootcertbundle: ${certificate.certificate}}}`;
      const registry = await Registry.start({ auth });
      await registry.push(image, 'org/app:1', ['--dest-creds', 'alice:open sesame']);
      tokens.asked.splice(0);
      return { tokens, registry };
    };

    beforeAll(() => {
      certificate = makeCertificate(files, 'token');
    });

    test.each<[string, Credentials, string, string | null]>([
      ['for a password', alice, 'GET', null],
      ['for an identity token', { kind: 'identity', token: 'who-i-am' }, 'POST', 'refresh_token'],
    ])('is got %s, once for all that is asked', async (_what, credentials, method, grant) => {
      const both = await servers();
      await using tokens = both.tokens;
      await using registry = both.registry;
      const pulled = await store.pull(`${registry.host}/org/app:1`, never, known(registry.host, credentials));
      expect(pulled).toMatchObject({ source: 'pulled' });
      expect(tokens.asked).toMatchObject([{ method, grant, scope: 'repository:org/app:pull' }]);
    });

    test('is got again when the registry no longer takes it', async () => {
      const both = await servers();
      await using tokens = both.tokens;
      await using registry = both.registry;
      await using proxy = await FaultProxy.before(registry.origin, ({ path }, times) =>
        path.includes('/blobs/') && times === 0
          ? {
              kind: 'answer',
              status: 401,
              headers: {
                'www-authenticate': `Bearer realm="${tokens.realm}",service="s",scope="repository:org/app:pull"`,
              },
            }
          : undefined,
      );
      await store.pull(`${proxy.host}/org/app:1`, never, known(proxy.host, alice));
      expect(tokens.asked.length).toBeGreaterThan(1);
    });

    test.each<[string, Credentials | undefined]>([
      ['without credentials', undefined],
      ['for wrong ones', as('alice', 'wrong')],
    ])('is refused %s', async (_what, credentials) => {
      const both = await servers();
      await using tokens = both.tokens;
      await using registry = both.registry;
      const how = credentials === undefined ? options : known(registry.host, credentials);
      await expect(store.pull(`${registry.host}/org/app:1`, never, how)).rejects.toMatchObject({
        code: 'registry.refused',
      });
      expect(tokens.asked).toHaveLength(1);
    });

    test.each(['file:///etc/passwd', 'gopher://a/', 'http://u:p@127.0.0.1/', 'nonsense', ''])(
      'is not got from %s',
      async (realm) => {
        await using servers_ = new Servers();
        const port = await servers_.serve((_request, response) => {
          response.writeHead(401, { 'www-authenticate': `Bearer realm="${realm}"` }).end();
        });
        const refused = store.pull(`127.0.0.1:${port}/app`, never, known(`127.0.0.1:${port}`, alice));
        await expect(refused).rejects.toMatchObject({ code: 'registry.refused' });
      },
    );

    test('is not read without end', async () => {
      await using endless = new Servers();
      const realm = await endless.serve((_request, response) => {
        const more = (): void => void response.write(' '.repeat(65_536), more);
        more();
      });
      await using registry = new Servers();
      const port = await registry.serve((_request, response) => {
        response.writeHead(401, { 'www-authenticate': `Bearer realm="http://127.0.0.1:${realm}/"` }).end();
      });
      const refused = store.pull(`127.0.0.1:${port}/app`, never, known(`127.0.0.1:${port}`, alice));
      await expect(refused).rejects.toMatchObject({ code: 'image.invalid' });
    });
  });
});
