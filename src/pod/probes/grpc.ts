import type { GrpcAction } from '../../manifest/pod.ts';
import { type ProbeSurroundings, type Tried, errored, failure, joined, success } from './outcome.ts';

const USER_AGENT = 'kube-probe/.';
const CHECK = '/grpc.health.v1.Health/Check';
/** grpc.health.v1.HealthCheckResponse.ServingStatus. */
const STATUS = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'] as const;

/** Asks the standard health service; only SERVING is success (pkg/probe/grpc/grpc.go). */
export async function tryGrpc(action: GrpcAction, around: ProbeSurroundings): Promise<Tried> {
  const { podIp, timeoutSeconds } = around;
  if (podIp === undefined) return errored('the pod has no address');
  const address = joined({ host: podIp, port: action.port });
  // A heavy library that few pods need.
  const { Client, credentials, status } = await import('@grpc/grpc-js');
  const client = new Client(address, credentials.createInsecure(), {
    'grpc.primary_user_agent': USER_AGENT,
    'grpc.enable_http_proxy': 0,
  });
  const deadline = Date.now() + timeoutSeconds * 1000;
  const within = `within ${timeoutSeconds}s`;
  try {
    const unreachable = await new Promise<Error | undefined>((resolve) => {
      client.waitForReady(deadline, resolve);
    });
    if (unreachable !== undefined) {
      return failure(`timeout: failed to connect service "${address}" ${within}: context deadline exceeded`);
    }
    return await new Promise<Tried>((resolve) => {
      client.makeUnaryRequest(CHECK, encode, decode, action.service, { deadline }, (error, serving) => {
        if (error === null) {
          const answer = STATUS[serving ?? 0] ?? String(serving);
          const text = `service unhealthy (responded with "${answer}")`;
          return resolve(answer === 'SERVING' ? success('service healthy') : failure(text));
        }
        const texts: Partial<Record<number, string>> = {
          [status.UNIMPLEMENTED]: `error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ${error.details}`,
          [status.DEADLINE_EXCEEDED]: `timeout: health rpc did not complete ${within}`,
        };
        resolve(failure(texts[error.code] ?? `error: health rpc probe failed: ${error.message}`));
      });
    });
  } finally {
    client.close();
  }
}

/** HealthCheckRequest: `service` is field 1, a string; the default is not written. */
export function encode(service: string): Buffer {
  const text = Buffer.from(service, 'utf8');
  return text.length === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x0a, ...varint(text.length)]), text]);
}

/** HealthCheckResponse: `status` is field 1, a varint; 0 when it is not there. */
export function decode(message: Buffer): number {
  let status = 0;
  for (let at = 0; at < message.length;) {
    const [tag, afterTag] = readVarint(message, at);
    const [value, afterValue] = readVarint(message, afterTag);
    if (tag === 0x08) status = value;
    // Of what is not known only the length matters.
    at = (tag & 7) === 2 ? afterValue + value : afterValue;
  }
  return status;
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)];
}

function readVarint(message: Buffer, at: number): readonly [value: number, next: number] {
  let value = 0;
  for (let shift = 0, next = at; next < message.length; shift += 7, next++) {
    const byte = message[next] ?? 0;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return [value, next + 1];
  }
  return [value, message.length];
}
