import { connect } from 'node:net';
import type { TcpSocketAction } from '../../manifest/pod.ts';
import { goError } from '../hooks/http-client.ts';
import { resolvePort } from '../hooks/http-request.ts';
import { type ProbeSurroundings, type Tried, errored, failure, joined, success } from './outcome.ts';

/** Success is a connection, which is closed at once (pkg/probe/tcp/tcp.go). */
export async function tryTcp(action: TcpSocketAction, around: ProbeSurroundings): Promise<Tried> {
  const resolved = resolvePort(action.port, around.ports);
  if ('error' in resolved) return errored(resolved.error);
  const host = action.host ?? around.podIp;
  if (host === undefined) return errored('the pod has no address');
  const target = { host, port: resolved.port };
  return new Promise((resolve) => {
    const socket = connect({ ...target, allowHalfOpen: false });
    const stop = (): void => {
      end(failure(`dial tcp ${joined(target)}: i/o timeout`));
    };
    const end = (tried: Tried): void => {
      around.signal.removeEventListener('abort', stop);
      socket.destroy();
      resolve(tried);
    };
    if (around.signal.aborted) return stop();
    around.signal.addEventListener('abort', stop, { once: true });
    socket.once('connect', () => {
      end(success());
    });
    socket.on('error', (error) => {
      end(failure(goError(error, { hostname: host, port: String(target.port) })));
    });
  });
}
