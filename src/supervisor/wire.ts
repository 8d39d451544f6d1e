import type { Socket } from 'node:net';
import { type ErrorCode, MinirtError, messageOf } from '../base/errors.ts';

/** Version of the control protocol; both sides refuse another one. */
export const PROTOCOL_VERSION = 1;

/** A message longer than this is not one of ours. */
const LONGEST_LINE = 8 << 20;

/** First line on every connection, said by the server. `uid` is the pod's on a pod's socket, empty on the supervisor's. */
export interface Hello {
  readonly hello: 'minirt';
  readonly version: number;
  readonly uid: string;
}

export interface Request {
  readonly id: number;
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** Answers to a request: any number of `item`, then one `end` or `error`. */
export type Reply =
  | { readonly id: number; readonly item: unknown }
  | { readonly id: number; readonly end: true }
  | {
      readonly id: number;
      readonly error: { readonly code: ErrorCode; readonly message: string; readonly hint?: string };
    };

/** Splits a connection into JSON messages, one a line; destroys it on anything else, and on what `receive` refuses. */
export function onMessages(socket: Socket, receive: (message: unknown) => void): void {
  let rest = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    rest += chunk;
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n')) {
      const line = rest.slice(0, end);
      rest = rest.slice(end + 1);
      try {
        receive(JSON.parse(line));
      } catch (error) {
        const why = messageOf(error);
        socket.destroy(new MinirtError('supervisor.unreachable', `read message: ${why}`, { cause: error }));
        return;
      }
    }
    if (rest.length > LONGEST_LINE) {
      socket.destroy(new MinirtError('supervisor.unreachable', 'read message: longer than the protocol allows'));
    }
  });
}

export function send(socket: Socket, message: Hello | Request | Reply): void {
  if (socket.writable) socket.write(`${JSON.stringify(message)}\n`);
}
