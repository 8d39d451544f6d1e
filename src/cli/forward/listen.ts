import { once } from 'node:events';
import { type AddressInfo, type Server, type Socket, createServer } from 'node:net';
import { MinirtError, messageOf } from '../../base/errors.ts';
import type { ForwardedPort } from './ports.ts';

export interface Listener {
  readonly server: Server;
  /** `127.0.0.1:8080`, `[::1]:8080`. */
  readonly at: string;
  readonly port: number;
}

/**
 * Listens on every address for one port. Fails where one that was asked for cannot be had, or none of those that stand
 * for `localhost`. Connections are handed on with nothing read of them.
 */
export async function listenOn(
  addresses: readonly { readonly host: string; readonly optional: boolean }[],
  { local, remote }: ForwardedPort,
  onConnection: (connection: Socket, port: number) => void,
): Promise<readonly Listener[]> {
  const listeners: Listener[] = [];
  const errors: string[] = [];
  let port = local;
  for (const { host, optional } of addresses) {
    const server = createServer({ pauseOnConnect: true, allowHalfOpen: true });
    try {
      server.listen({ host, port, exclusive: true });
      await once(server, 'listening');
    } catch (error) {
      errors.push(messageOf(error));
      if (!optional) break;
      continue;
    }
    // All addresses of a port that was left open have the same.
    ({ port } = server.address() as AddressInfo);
    const mine = port;
    server.on('connection', (connection) => {
      onConnection(connection, mine);
    });
    listeners.push({ server, at: `${host.includes(':') ? `[${host}]` : host}:${port}`, port });
  }
  const asked = addresses.filter(({ optional }) => !optional).length;
  if (listeners.length > 0 && (asked === 0 || errors.length === 0)) return listeners;
  for (const { server } of listeners) server.close();
  const what = `${local}:${remote}`;
  throw new MinirtError('network.failed', `unable to listen on port ${local} (${what}): ${errors.join('; ')}`);
}
