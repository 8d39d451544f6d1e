import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import { type AddressInfo, type Server as TcpServer, type Socket, createServer as createTcp } from 'node:net';
import type { HttpGetAction } from '../../src/manifest/pod.ts';

/** Where the servers of {@link Servers} listen. */
export const HOST = '127.0.0.1';
export const EMPTY = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';

/** Servers on loopback that live as long as a test. */
export class Servers implements AsyncDisposable {
  readonly #open: TcpServer[] = [];
  readonly #sockets = new Set<Socket>();

  async listening(server: TcpServer | Server): Promise<number> {
    this.#open.push(server);
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
    return (server.address() as AddressInfo).port;
  }

  serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<number> {
    return this.listening(createServer(answer));
  }

  /** A server that says so many bytes and keeps what it hears. */
  async raw(answer: string, then: 'end' | 'stay' = 'end'): Promise<{ port: number; heard: () => string }> {
    let heard = '';
    const port = await this.listening(
      createTcp((socket) => {
        socket.on('data', (data) => {
          heard += data.toString('latin1');
          if (!heard.includes('\r\n\r\n')) return;
          socket.write(answer);
          if (then === 'end') socket.end();
        });
      }),
    );
    return { port, heard: () => heard };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(this.#open.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
  }
}

/** A port on which nobody listens. */
export async function nobody(): Promise<number> {
  await using servers = new Servers();
  return await servers.listening(createTcp());
}

export function httpGetOf(port: number | string, changes: Partial<HttpGetAction> = {}): HttpGetAction {
  return { kind: 'httpGet', host: undefined, port, path: '/', scheme: 'HTTP', headers: [], ...changes };
}
