import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createSecure } from 'node:https';
import { createServer as createTcp } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { type HttpHookSurroundings, runHttpHook } from '../../src/pod/hooks/http.ts';
import { runSleepHook } from '../../src/pod/hooks/sleep.ts';
import { EMPTY, HOST, Servers, httpGetOf, nobody } from '../support/servers.ts';

const servers = new Servers();

afterEach(() => servers[Symbol.asyncDispose]());

function hooked(changes: Partial<HttpHookSurroundings> = {}): HttpHookSurroundings {
  const { signal } = new AbortController();
  return { podIp: HOST, ports: [], signal, aborted: () => 'gone', onFallback: () => undefined, ...changes };
}

describe('an httpGet hook', () => {
  test('is sent byte for byte as by a kubelet', async () => {
    const { port, heard } = await servers.raw(EMPTY);
    const headers = [
      { name: 'x-who', value: 'me' },
      { name: 'Host', value: 'h.example' },
      { name: 'X-Who', value: 'you' },
    ];
    expect((await runHttpHook(httpGetOf(port, { path: '/bye?x=1', headers }), hooked())).ok).toBe(true);
    expect(heard()).toBe(
      [
        'GET /bye?x=1 HTTP/1.1',
        'Host: h.example',
        'User-Agent: kube-lifecycle/.',
        'Accept: */*',
        'X-Who: me',
        'X-Who: you',
        'Accept-Encoding: gzip',
        '',
        '',
      ].join('\r\n'),
    );
  });

  test('has the agent that it is given, and no Accept when that is empty', async () => {
    const { port, heard } = await servers.raw(EMPTY);
    const headers = [
      { name: 'User-Agent', value: 'mine' },
      { name: 'accept', value: '' },
    ];
    await runHttpHook(httpGetOf(port, { headers }), hooked());
    expect(heard()).toContain('User-Agent: mine\r\n');
    expect(heard()).not.toMatch(/^Accept:/m);
  });

  test.each([200, 204, 304, 404, 500, 503])('succeeds with any answer: %i', async (status) => {
    const port = await servers.serve((_, response) => response.writeHead(status).end());
    expect(await runHttpHook(httpGetOf(port), hooked())).toMatchObject({ ok: true, detail: `HTTP ${status}` });
  });

  test('keeps the beginning of the answer, and does not wait for the rest', async () => {
    const port = await servers.serve((_, response) => {
      response.writeHead(200);
      // For ever.
      const more = (): void => {
        if (!response.destroyed) response.write('x'.repeat(1000), () => setImmediate(more));
      };
      more();
    });
    const { ok, output } = await runHttpHook(httpGetOf(port), hooked());
    expect(ok).toBe(true);
    expect(output).toBe('x'.repeat(10 * 1024));
  });

  test('goes to a port by its name, to a number in quotes, and to no other', async () => {
    const port = await servers.serve((_, response) => response.end());
    const ports = [{ name: 'adm', containerPort: port }];
    expect((await runHttpHook(httpGetOf('adm'), hooked({ ports }))).ok).toBe(true);
    expect((await runHttpHook(httpGetOf(String(port)), hooked())).ok).toBe(true);
    expect(await runHttpHook(httpGetOf('none'), hooked({ ports }))).toMatchObject({
      ok: false,
      error: `couldn't find port: "none"`,
    });
    expect(await runHttpHook(httpGetOf(70_000), hooked())).toMatchObject({
      ok: false,
      error: 'invalid port number: 70000',
    });
  });

  test('fails when nobody listens, in the words of a kubelet', async () => {
    const port = await nobody();
    const error = `Get "http://${HOST}:${port}/": dial tcp ${HOST}:${port}: connect: connection refused`;
    expect(await runHttpHook(httpGetOf(port), hooked())).toMatchObject({ ok: false, error, detail: error });
  });

  test('fails when the server hangs up', async () => {
    const { port } = await servers.raw('');
    expect(await runHttpHook(httpGetOf(port), hooked())).toMatchObject({
      ok: false,
      error: `Get "http://${HOST}:${port}/": EOF`,
    });
  });

  test('leaves the end of the connection to the server, as a kubelet does', async () => {
    let ended = false;
    const port = await servers.listening(
      createTcp((socket) => {
        socket.once('data', () => socket.write(EMPTY));
        socket.once('end', () => {
          ended = true;
        });
        setTimeout(() => socket.end(), 300);
      }),
    );
    expect((await runHttpHook(httpGetOf(port), hooked())).ok).toBe(true);
    expect(ended).toBe(false);
    await expect.poll(() => ended).toBe(true);
  });

  test('fails without an address', async () => {
    const { ok, error } = await runHttpHook(httpGetOf(80), hooked({ podIp: undefined }));
    expect([ok, error]).toEqual([false, 'failed to find networking container: the pod has no address']);
  });

  test('waits as long as it takes, until nobody does any more', async () => {
    const { port, heard } = await servers.raw('', 'stay');
    const end = new AbortController();
    const run = runHttpHook(httpGetOf(port), hooked({ signal: end.signal }));
    await expect.poll(heard).toContain('GET');
    end.abort();
    expect(await run).toMatchObject({ ok: false, error: `Get "http://${HOST}:${port}/": gone` });
  });

  test('follows redirects on its own host, and takes one to another for the answer', async () => {
    const paths: string[] = [];
    const port = await servers.serve(({ url = '' }, response) => {
      paths.push(url);
      if (url === '/') response.writeHead(302, { location: '/next' }).end();
      else response.writeHead(301, { location: 'http://other.example/' }).end('elsewhere');
    });
    expect(await runHttpHook(httpGetOf(port), hooked())).toMatchObject({
      ok: true,
      detail: 'HTTP 301',
      output: 'elsewhere',
    });
    expect(paths).toEqual(['/', '/next']);
  });

  test('does not go round in circles', async () => {
    let asked = 0;
    const port = await servers.serve((_, response) => {
      asked++;
      response.writeHead(302, { location: '/' }).end();
    });
    const { ok, error } = await runHttpHook(httpGetOf(port), hooked());
    expect([ok, error]).toEqual([false, `Get "http://${HOST}:${port}/": stopped after 10 redirects`]);
    expect(asked).toBe(10);
  });
});

describe('an https hook', () => {
  test('trusts whoever answers', async () => {
    const port = await servers.listening(createSecure(certificate(), (_, response) => response.writeHead(404).end()));
    expect(await runHttpHook(httpGetOf(port, { scheme: 'HTTPS' }), hooked())).toMatchObject({
      ok: true,
      detail: 'HTTP 404',
    });
  });

  test('falls back to http, without credentials, and tells', async () => {
    const seen: (string | undefined)[] = [];
    const port = await servers.serve(({ headers }, response) => {
      seen.push(headers.authorization);
      response.end();
    });
    const told: string[] = [];
    const headers = [{ name: 'authorization', value: 'secret' }];
    const onFallback = (address: string): void => void told.push(address);
    const outcome = await runHttpHook(httpGetOf(port, { scheme: 'HTTPS', headers }), hooked({ onFallback }));
    expect(outcome).toMatchObject({ ok: true });
    expect(told).toEqual([`${HOST}:${port}`]);
    expect(seen).toEqual([undefined]);
  });

  test('does not fall back when nobody listens', async () => {
    const port = await nobody();
    const told: string[] = [];
    const outcome = await runHttpHook(
      httpGetOf(port, { scheme: 'HTTPS' }),
      hooked({ onFallback: (one) => void told.push(one) }),
    );
    expect(outcome).toMatchObject({ ok: false });
    expect(told).toEqual([]);
  });
});

describe('a sleep hook', () => {
  const begin = (seconds: number, signal: AbortSignal, gone: boolean) =>
    runSleepHook(
      { kind: 'sleep', seconds },
      { clock: systemClock, since: systemClock.now(), signal, isGone: () => gone },
    );

  test('of nothing is over at once', async () => {
    expect((await begin(0, new AbortController().signal, false)).ok).toBe(true);
  });

  test('is cut short by the end of its container, which is no failure', async () => {
    const end = new AbortController();
    const run = begin(1000, end.signal, true);
    end.abort();
    expect(await run).toMatchObject({ ok: true, detail: 'cut short: the container had exited' });
  });

  test('fails when the grace period ends it', async () => {
    const end = new AbortController();
    const run = begin(1000, end.signal, false);
    end.abort();
    expect(await run).toMatchObject({ ok: false, error: 'container terminated before sleep hook finished' });
  });

  test('of an owner that died goes on with the rest', async () => {
    const since = systemClock.now() - 999n * 1_000_000_000n;
    const { signal } = new AbortController();
    const around = { clock: systemClock, since, signal, isGone: () => false };
    expect((await runSleepHook({ kind: 'sleep', seconds: 999 }, around)).ok).toBe(true);
  });
});

/** A throwaway one for nobody in particular. */
function certificate(): { key: Buffer; cert: Buffer } {
  const folder = mkdtempSync('/tmp/mrt-cert-');
  const [key, cert] = [join(folder, 'key'), join(folder, 'cert')];
  const words = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=nobody'];
  try {
    execFileSync('openssl', [...words, '-keyout', key, '-out', cert], { stdio: 'ignore' });
    return { key: readFileSync(key), cert: readFileSync(cert) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
