import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { decode, encode, tryGrpc } from '../../src/pod/probes/grpc.ts';

const HOST = '127.0.0.1';
const started: Server[] = [];

afterEach(() => {
  for (const server of started.splice(0)) server.forceShutdown();
});

type Answer = (call: ServerUnaryCall<{ service: string }, number>, reply: sendUnaryData<number>) => void;

const CHECK = {
  path: '/grpc.health.v1.Health/Check',
  requestStream: false,
  responseStream: false,
  requestSerialize: ({ service }: { service: string }) => encode(service),
  requestDeserialize: (bytes: Buffer) => ({ service: bytes.subarray(2).toString('utf8') }),
  responseSerialize: (value: number) => Buffer.from([0x08, value]),
  responseDeserialize: (bytes: Buffer) => decode(bytes),
} as const;

async function serve(answer: Answer | undefined): Promise<number> {
  const server = new Server();
  started.push(server);
  if (answer !== undefined) server.addService({ Check: CHECK }, { Check: answer });
  return new Promise((resolve, reject) => {
    server.bindAsync(`${HOST}:0`, ServerCredentials.createInsecure(), (error, port) => {
      if (error === null) resolve(port);
      else reject(error);
    });
  });
}

const around = (timeoutSeconds = 5) => ({
  podIp: HOST,
  ports: [],
  timeoutSeconds,
  signal: new AbortController().signal,
});
const at = (port: number, service = '') => ({ kind: 'grpc', port, service }) as const;

describe('a grpc probe', () => {
  test('asks the health service for its service, as kube-probe', async () => {
    const asked: unknown[] = [];
    const port = await serve(({ request, metadata }, reply) => {
      asked.push(request.service, String(metadata.get('user-agent')));
      reply(null, 1);
    });
    expect(await tryGrpc(at(port, 'my.service'), around())).toMatchObject({
      outcome: 'success',
      output: 'service healthy',
    });
    expect(asked[0]).toBe('my.service');
    expect(asked[1]).toMatch(/^kube-probe\/\./);
  });

  test.each([
    [0, 'UNKNOWN'],
    [2, 'NOT_SERVING'],
    [3, 'SERVICE_UNKNOWN'],
  ])('fails when the answer is %i', async (value, name) => {
    const port = await serve((_, reply) => {
      reply(null, value);
    });
    const output = `service unhealthy (responded with "${name}")`;
    expect(await tryGrpc(at(port), around())).toMatchObject({ outcome: 'failure', output });
  });

  test('fails when there is no health service', async () => {
    const port = await serve(undefined);
    const { outcome, output } = await tryGrpc(at(port), around());
    expect(outcome).toBe('failure');
    expect(output).toMatch(
      /^error: this server does not implement the grpc health protocol \(grpc\.health\.v1\.Health\): /,
    );
  });

  test('fails with what else the server says', async () => {
    const port = await serve((_, reply) => {
      reply({ code: status.PERMISSION_DENIED, details: 'no' });
    });
    const { outcome, output } = await tryGrpc(at(port), around());
    expect(outcome).toBe('failure');
    expect(output).toMatch(/^error: health rpc probe failed: /);
  });

  test('fails when nobody answers in time', async () => {
    const port = await serve(() => undefined);
    const output = 'timeout: health rpc did not complete within 1s';
    expect(await tryGrpc(at(port), around(1))).toMatchObject({ outcome: 'failure', output });
  });

  test('fails when nobody listens', async () => {
    const port = await serve(undefined);
    started.splice(0)[0]?.forceShutdown();
    const output = `timeout: failed to connect service "${HOST}:${port}" within 1s: context deadline exceeded`;
    expect(await tryGrpc(at(port), around(1))).toMatchObject({ outcome: 'failure', output });
  });
});

test('a name of any length is written as protobuf has it', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 40_000 }), (name) => {
      const bytes = encode(name);
      const text = Buffer.from(name, 'utf8');
      expect(bytes.subarray(bytes.length - text.length)).toEqual(text);
      expect(bytes[0]).toBe(0x0a);
    }),
    { numRuns: 50 },
  );
  expect(encode('')).toEqual(Buffer.alloc(0));
});

test('whatever bytes an answer has, they are read to their end', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect(typeof decode(Buffer.from(bytes))).toBe('number');
    }),
  );
  // An unknown field of a later version comes first.
  expect(decode(Buffer.from([0x12, 0x02, 0x08, 0x03, 0x08, 0x01]))).toBe(1);
});
