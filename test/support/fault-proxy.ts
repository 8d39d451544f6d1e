import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { request } from 'undici';
import { HOST, Servers } from './servers.ts';

/** What comes in place of the registry's own answer. */
export type Fault =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers?: Record<string, string>;
      readonly body?: string;
    }
  /** So many bytes of it, and then the connection breaks. */
  | { readonly kind: 'cut'; readonly after: number }
  /** So many bytes of it, and then nothing any more. */
  | { readonly kind: 'stall'; readonly after: number }
  /** The first byte is another one. */
  | { readonly kind: 'corrupt' }
  | { readonly kind: 'type'; readonly contentType: string };

export interface Asked {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

/** Decides about one request; `times` counts those of this path before it. */
export type Decide = (asked: Asked, times: number) => Fault | undefined;

/** A registry that does not behave: what stands before a real one. */
export class FaultProxy implements AsyncDisposable {
  /** What was asked of it. */
  readonly asked: Asked[] = [];
  readonly #servers = new Servers();
  #port = 0;

  static async before(origin: string, decide: Decide): Promise<FaultProxy> {
    const proxy = new FaultProxy();
    proxy.#port = await proxy.#servers.serve((incoming, response) => {
      const asked = { path: incoming.url ?? '', headers: incoming.headers };
      const times = proxy.asked.filter(({ path }) => path === asked.path).length;
      proxy.asked.push(asked);
      answer(origin, asked, { fault: decide(asked, times), response }).catch(() => response.destroy());
    });
    return proxy;
  }

  get host(): string {
    return `${HOST}:${this.#port}`;
  }

  get origin(): string {
    return `http://${this.host}`;
  }

  /** Paths asked for below `/v2/`, in order. */
  paths(what: RegExp): readonly string[] {
    return this.asked.map(({ path }) => path).filter((path) => what.test(path));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#servers[Symbol.asyncDispose]();
  }
}

async function answer(
  origin: string,
  { path, headers }: Asked,
  { fault, response }: { fault: Fault | undefined; response: ServerResponse },
): Promise<void> {
  if (fault?.kind === 'answer') {
    response.writeHead(fault.status, fault.headers);
    response.end(fault.body ?? '');
    return;
  }
  const { host: _host, connection: _connection, ...forwarded } = headers;
  const { statusCode, headers: got, body } = await request(new URL(path, origin), { headers: forwarded });
  const bytes = Buffer.from(await body.arrayBuffer());
  const { 'transfer-encoding': _encoding, ...kept } = got;
  response.writeHead(statusCode, { ...kept, ...(fault?.kind === 'type' ? { 'content-type': fault.contentType } : {}) });
  if (fault === undefined || fault.kind === 'type') return void response.end(bytes);
  if (fault.kind === 'corrupt') {
    bytes[0] = (bytes[0] ?? 0) ^ 1;
    response.end(bytes);
    return;
  }
  response.write(bytes.subarray(0, fault.after), () => {
    if (fault.kind === 'cut') response.destroy();
  });
}
