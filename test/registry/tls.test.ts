import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { PullOptions } from '../../src/image/registry/pull.ts';
import { type ImageStore, openImageStore } from '../../src/image/store.ts';
import { makeCertificate } from '../support/certificate.ts';
import { type TestImage, tar } from '../support/images.ts';
import { Registry } from '../support/registry.ts';
import { Servers } from '../support/servers.ts';

const never = new AbortController().signal;
const patience = { tries: 2, first: 10, longest: 1000, stall: 2000 };
const options: PullOptions = { env: {}, certificateFolders: [], patience };
const alice = { kind: 'password', username: 'alice', password: 'open sesame' } as const;

describe('the way to a registry', () => {
  let dir: string;
  let files: string;
  let store: ImageStore;
  let image: TestImage;

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

  describe('TLS', () => {
    let registry: Registry;
    let folder: string;
    const pull = (how: PullOptions): Promise<unknown> => store.pull(`${registry.host}/app:1`, never, how);

    beforeAll(async () => {
      const { key, certificate } = makeCertificate(files, 'tls');
      registry = await Registry.start({ tls: { key, certificate } });
      await registry.push(image, 'app:1');
      folder = join(files, 'certs.d');
      mkdirSync(join(folder, registry.host), { recursive: true });
      writeFileSync(join(folder, registry.host, 'ca.crt'), readFileSync(certificate));
    });
    afterAll(() => registry[Symbol.asyncDispose]());

    test('is trusted by a certificate in the folder of the registry', async () => {
      expect(await pull({ ...options, certificateFolders: [folder] })).toMatchObject({ source: 'pulled' });
    });

    test('of somebody unknown is refused, and nothing is sent without it', async () => {
      const refused = pull(options);
      await expect(refused).rejects.toMatchObject({ code: 'registry.unreachable' });
      await expect(refused).rejects.toMatchObject({ hint: expect.stringContaining('certs.d') as string });
    });

    test('of somebody unknown is taken when it is said so', async () => {
      expect(await pull({ ...options, tlsVerify: false })).toMatchObject({ source: 'pulled' });
    });

    test('leads to nobody without it, and asks for no token there', async () => {
      const { key, certificate } = makeCertificate(files, 'lead');
      const heard: string[] = [];
      await using servers = new Servers();
      const plain = await servers.serve((request, response) => {
        heard.push(request.url ?? '');
        response.end('{"token":"t"}');
      });
      let leads: Record<string, string> = {};
      let status = 0;
      const port = await servers.listening(
        createTlsServer({ key: readFileSync(key), cert: readFileSync(certificate) }, (_request, response) => {
          response.writeHead(status, leads).end();
        }),
      );
      const trusted = join(files, 'lead.d');
      mkdirSync(join(trusted, `127.0.0.1:${port}`), { recursive: true });
      writeFileSync(join(trusted, `127.0.0.1:${port}`, 'ca.crt'), readFileSync(certificate));
      const how = {
        ...options,
        credentials: [{ key: `127.0.0.1:${port}`, credentials: alice }],
        certificateFolders: [trusted],
      };
      for (const next of [
        { status: 307, headers: { location: `http://127.0.0.1:${plain}/` } },
        { status: 401, headers: { 'www-authenticate': `Bearer realm="http://127.0.0.1:${plain}/"` } },
      ]) {
        ({ status, headers: leads } = next);
        const refused = store.pull(`127.0.0.1:${port}/app`, never, how);
        await expect(refused).rejects.toMatchObject({ code: 'registry.refused' });
      }
      expect(heard).toEqual([]);
    });
  });

  test('a proxy of the environment is used, but not for those that it excepts', async () => {
    await using registry = await Registry.start();
    await registry.push(image, 'app:1');
    await using servers = new Servers();
    const asked: string[] = [];
    const server = createServer();
    server.on('connect', (request, socket) => {
      asked.push(request.url ?? '');
      socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
    });
    const port = await servers.listening(server);
    const env = { HTTPS_PROXY: `http://127.0.0.1:${port}`, HTTP_PROXY: `http://127.0.0.1:${port}` };
    await expect(store.pull(`${registry.host}/app:1`, never, { ...options, env })).rejects.toMatchObject({
      code: 'registry.unreachable',
    });
    expect(asked).toContain(registry.host);
    const excepted = { ...env, NO_PROXY: '127.0.0.1' };
    expect(await store.pull(`${registry.host}/app:1`, never, { ...options, env: excepted })).toMatchObject({
      source: 'pulled',
    });
  });
});
