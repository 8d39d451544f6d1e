import { type Socket, connect } from 'node:net';
import { MinirtError, messageOf } from '../base/errors.ts';
import { checkSocketPath } from '../helper/monitor.ts';
import { type Hello, PROTOCOL_VERSION, type Reply, onMessages, send } from './wire.ts';

interface Pending {
  readonly push: (item: unknown) => void;
  readonly end: (error: Error | undefined) => void;
}

/** The client's end of a control connection: calls with streamed answers. */
export class Connection {
  readonly #socket: Socket;
  readonly #pending = new Map<number, Pending>();
  #next = 1;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Connects and checks who answers; fails with supervisor.unreachable. */
  static async open(path: string, uid: string, signal: AbortSignal): Promise<Connection> {
    checkSocketPath(path);
    const socket = connect(path);
    const connection = new Connection(socket);
    const abort = (): void => {
      socket.destroy();
    };
    signal.addEventListener('abort', abort, { once: true });
    try {
      await connection.#greet(uid);
      socket.once('close', () => {
        signal.removeEventListener('abort', abort);
      });
      return connection;
    } catch (error) {
      signal.removeEventListener('abort', abort);
      socket.destroy();
      throw new MinirtError('supervisor.unreachable', `connect: ${path}: ${messageOf(error)}`, { cause: error });
    }
  }

  /** All items of an answer, as they come. */
  async *stream(method: string, params: Readonly<Record<string, unknown>>): AsyncGenerator {
    const id = this.#next++;
    const inbox: unknown[] = [];
    const state: { ended: boolean; error: Error | undefined; wake: (() => void) | undefined } = {
      ended: false,
      error: undefined,
      wake: undefined,
    };
    this.#pending.set(id, {
      push: (item) => {
        inbox.push(item);
        state.wake?.();
      },
      end: (error) => {
        state.ended = true;
        state.error = error;
        state.wake?.();
      },
    });
    if (this.#socket.destroyed) this.#fail(new Error('the connection is closed'));
    send(this.#socket, { id, method, params });
    try {
      for (;;) {
        while (inbox.length > 0) yield inbox.shift();
        if (state.ended) break;
        await new Promise<void>((resolve) => {
          state.wake = resolve;
        });
      }
    } finally {
      this.#pending.delete(id);
    }
    if (state.error !== undefined) throw state.error;
  }

  /** A call whose items nobody wants; resolves when it was carried out. */
  async call(method: string, params: Readonly<Record<string, unknown>>): Promise<void> {
    for await (const item of this.stream(method, params)) void item;
  }

  close(): void {
    this.#socket.destroy();
  }

  async #greet(uid: string): Promise<void> {
    const hello = await new Promise<Hello>((resolve, reject) => {
      let greeted = false;
      let cause: Error | undefined;
      this.#socket.on('error', (error) => {
        cause = error;
      });
      this.#socket.on('close', () => {
        const error = cause ?? new Error('the other side closed the connection');
        reject(error);
        this.#fail(error);
      });
      onMessages(this.#socket, (message) => {
        if (greeted) this.#receive(message as Reply);
        else resolve(message as Hello);
        greeted = true;
      });
    });
    if ((hello as Hello | null)?.hello !== 'minirt') throw new Error('it is no minirt');
    if (hello.version !== PROTOCOL_VERSION) throw new Error(`it speaks protocol ${String(hello.version)}`);
    if (hello.uid !== uid) throw new Error(`it answers for ${hello.uid}, not for ${uid}`);
  }

  #receive(reply: Reply): void {
    const pending = this.#pending.get(reply.id);
    if (pending === undefined) return;
    if ('item' in reply) return pending.push(reply.item);
    if ('end' in reply) return pending.end(undefined);
    const { code, message, hint } = reply.error;
    pending.end(new MinirtError(code, message, hint === undefined ? {} : { hint }));
  }

  #fail(error: Error): void {
    const lost = new MinirtError('supervisor.unreachable', `read answer: ${error.message}`, { cause: error });
    for (const pending of this.#pending.values()) pending.end(lost);
  }
}
