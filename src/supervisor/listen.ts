import { chmodSync, rmSync } from 'node:fs';
import { type Socket, createServer } from 'node:net';
import { isMinirtError, messageOf } from '../base/errors.ts';
import { checkSocketPath } from '../helper/monitor.ts';
import { PROTOCOL_VERSION, type Reply, type Request, onMessages, send } from './wire.ts';

/** A client that does not read falls behind by at most this much before it is dropped. */
const MOST_UNREAD = 16 << 20;

/** How long answers under way are waited for when the socket closes. */
const LAST_ANSWERS_MS = 500;

/** Answers one method: every yielded value is one item of the reply. */
export type Method = (params: Request['params'], signal: AbortSignal) => AsyncIterable<unknown>;

export interface Listening extends AsyncDisposable {
  /** Connections that are open now. */
  readonly clients: () => number;
  /** Takes no new connection, and frees the path at once; the open ones go on. */
  readonly deafen: () => void;
}

/** Listens on a unix socket that only root can open. The caller holds the lock that makes the path its own. */
export async function listen(path: string, uid: string, methods: Readonly<Record<string, Method>>): Promise<Listening> {
  checkSocketPath(path);
  rmSync(path, { force: true });
  const open = new Set<Socket>();
  const answering = new Set<Promise<void>>();
  const server = createServer((socket) => {
    open.add(socket);
    const gone = new AbortController();
    socket.on('error', () => undefined);
    socket.on('close', () => {
      open.delete(socket);
      gone.abort();
    });
    send(socket, { hello: 'minirt', version: PROTOCOL_VERSION, uid });
    onMessages(socket, (message) => {
      const answered = answer(socket, requestOf(message), methods, gone.signal);
      answering.add(answered);
      void answered.finally(() => answering.delete(answered));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  chmodSync(path, 0o600);
  const closed = new Promise<void>((resolve) => server.once('close', resolve));
  const deafen = (): void => {
    // Closing removes the path too; later it may be the next owner's.
    if (server.listening) server.close();
  };
  return {
    clients: () => open.size,
    deafen,
    async [Symbol.asyncDispose]() {
      deafen();
      await closeAll({ open, answering });
      await closed;
    },
  };
}

/** Throws on what is no request. */
function requestOf(message: unknown): Request {
  const { id, method, params } = (message ?? {}) as Partial<Request>;
  if (typeof id !== 'number' || typeof method !== 'string') throw new TypeError('not a request');
  return { id, method, params: params ?? {} };
}

async function answer(
  socket: Socket,
  request: Request,
  methods: Readonly<Record<string, Method>>,
  signal: AbortSignal,
): Promise<void> {
  const { id } = request;
  const reply = (message: Reply): void => {
    if (socket.writableLength > MOST_UNREAD) socket.destroy();
    else send(socket, message);
  };
  try {
    const method = Object.hasOwn(methods, request.method) ? methods[request.method] : undefined;
    if (method === undefined) {
      return reply({ id, error: { code: 'usage', message: `unknown method ${request.method}` } });
    }
    for await (const item of method(request.params, signal)) reply({ id, item });
    reply({ id, end: true });
  } catch (error) {
    const known = isMinirtError(error);
    const code = known ? error.code : 'internal';
    const hint = known && error.hint !== undefined ? { hint: error.hint } : {};
    reply({ id, error: { code, message: messageOf(error), ...hint } });
  }
}

/** What was said last still reaches those who listen; those who do not are not waited for. */
async function closeAll({
  open,
  answering,
}: {
  open: ReadonlySet<Socket>;
  answering: ReadonlySet<Promise<void>>;
}): Promise<void> {
  const patience = AbortSignal.timeout(LAST_ANSWERS_MS);
  const outOfPatience = new Promise<void>((resolve) => {
    patience.addEventListener('abort', () => {
      for (const socket of open) socket.destroy();
      resolve();
    });
  });
  await Promise.race([Promise.allSettled(answering), outOfPatience]);
  for (const socket of open) socket.destroySoon();
}
