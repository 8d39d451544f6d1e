import { createServer as createTcp } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { tryHttp } from '../../src/pod/probes/http.ts';
import type { ProbeSurroundings, Tried } from '../../src/pod/probes/outcome.ts';
import { tryTcp } from '../../src/pod/probes/tcp.ts';
import { EMPTY, HOST, Servers, httpGetOf, nobody } from '../support/servers.ts';

const servers = new Servers();

afterEach(() => servers[Symbol.asyncDispose]());

function probed(changes: Partial<ProbeSurroundings> = {}): ProbeSurroundings {
  return { podIp: HOST, ports: [], timeoutSeconds: 1, signal: AbortSignal.timeout(20_000), ...changes };
}

describe('an httpGet probe', () => {
  test.each<[number, Partial<Tried>]>([
    [200, { outcome: 'success', output: 'text' }],
    [399, { outcome: 'warning', output: 'Probe terminated redirects, Response body: text' }],
    [400, { outcome: 'failure', output: 'HTTP probe failed with statuscode: 400' }],
    [503, { outcome: 'failure', output: 'HTTP probe failed with statuscode: 503' }],
  ])('takes %i for what it is', async (status, expected) => {
    const port = await servers.serve((_, response) => response.writeHead(status).end('text'));
    expect(await tryHttp(httpGetOf(port), probed())).toMatchObject(expected);
  });

  test('warns of a redirect that it does not follow', async () => {
    const port = await servers.serve((_, response) =>
      response.writeHead(302, { location: 'http://other.example/' }).end(),
    );
    expect(await tryHttp(httpGetOf(port), probed())).toMatchObject({ outcome: 'warning' });
  });

  test('says who it is, and keeps no connection', async () => {
    const { port, heard } = await servers.raw(EMPTY);
    await tryHttp(httpGetOf(port), probed());
    expect(heard()).toBe(
      `GET / HTTP/1.1\r\nHost: ${HOST}:${port}\r\nUser-Agent: kube-probe/.\r\nAccept: */*\r\nConnection: close\r\n\r\n`,
    );
  });

  test('fails when its time is over', async () => {
    const { port } = await servers.raw('', 'stay');
    const why = 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)';
    expect(await tryHttp(httpGetOf(port), probed({ signal: AbortSignal.timeout(50) }))).toMatchObject({
      outcome: 'failure',
      output: `Get "http://${HOST}:${port}/": ${why}`,
    });
  });

  test('fails when nobody listens, and errs when there is no such port', async () => {
    const port = await nobody();
    expect(await tryHttp(httpGetOf(port), probed())).toMatchObject({
      outcome: 'failure',
      output: `Get "http://${HOST}:${port}/": dial tcp ${HOST}:${port}: connect: connection refused`,
    });
    expect(await tryHttp(httpGetOf('nobody'), probed())).toMatchObject({ outcome: 'error' });
  });
});

describe('a tcpSocket probe', () => {
  const at = (port: number | string) => ({ kind: 'tcpSocket', host: undefined, port }) as const;

  test('succeeds with a connection, whatever is said on it', async () => {
    const port = await servers.listening(createTcp((socket) => socket.end()));
    expect(await tryTcp(at(port), probed())).toMatchObject({ outcome: 'success' });
  });

  test('fails when nobody listens', async () => {
    const port = await nobody();
    const output = `dial tcp ${HOST}:${port}: connect: connection refused`;
    expect(await tryTcp(at(port), probed())).toMatchObject({ outcome: 'failure', output });
  });

  test('fails when its time is over', async () => {
    const over = new AbortController();
    over.abort();
    const output = `dial tcp ${HOST}:80: i/o timeout`;
    expect(await tryTcp(at(80), probed({ signal: over.signal }))).toMatchObject({ outcome: 'failure', output });
  });
});
