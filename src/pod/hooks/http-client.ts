/**
 * One GET as the kubelet's client makes it. node:http and not undici, because a server sees the difference: undici writes
 * `host` in lower case and decides the order of headers.
 */
import { Agent as HttpAgent, type ClientRequest, type IncomingMessage, request as httpSend } from 'node:http';
import { Agent as HttpsAgent, request as httpsSend } from 'node:https';
import { type HttpRequest, redirection } from './http-request.ts';

/** More of an answer is not read (pkg/probe/http: maxRespBodyLength). */
const BODY_BYTES = 10 * 1024;
const MOST_REDIRECTS = 10;
/** How long Go's transport keeps a connection that nobody uses (net/http: IdleConnTimeout of the default transport). */
const IDLE_MS = 90_000;

export type HttpResult =
  | { readonly kind: 'answer'; readonly status: number; readonly body: string }
  /** A redirect too many, in Go's words. */
  | { readonly kind: 'looping'; readonly error: string }
  /** There was no answer; `error` in Go's words. */
  | { readonly kind: 'failed'; readonly error: string; readonly plainHttp: boolean };

export interface HttpOptions {
  /** Aborted when nobody waits any more. */
  readonly signal: AbortSignal;
  /** What an abort is called. */
  readonly aborted: () => string;
}

/** Sends a request, follows redirects, reads the answer's beginning. Never rejects. */
export async function httpGet(first: HttpRequest, options: HttpOptions): Promise<HttpResult> {
  let next = first;
  for (let hops = 0; ; hops++) {
    const result = await once(next, options);
    if (result.kind !== 'answer') return result;
    const further = redirection(next, result.status, result.location);
    if (further === undefined) return { kind: 'answer', status: result.status, body: result.body };
    if (hops + 1 >= MOST_REDIRECTS) {
      return { kind: 'looping', error: `Get "${further.url.href}": stopped after 10 redirects` };
    }
    next = further;
  }
}

type Once =
  | { readonly kind: 'answer'; readonly status: number; readonly body: string; readonly location: string | undefined }
  | Extract<HttpResult, { kind: 'failed' }>;

function once(request: HttpRequest, { signal, aborted }: HttpOptions): Promise<Once> {
  const { url } = request;
  const failed = (error: NodeJS.ErrnoException): Once => {
    const plainHttp = url.protocol === 'https:' && isPlainHttp(error);
    const why = signal.aborted ? aborted() : plainHttp ? PLAIN_HTTP : goError(error, url);
    return { kind: 'failed', error: `Get "${url.href}": ${why}`, plainHttp };
  };
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(failed(new Error('aborted')));
    let answered = false;
    const sent = begin(request, (answer) => {
      answered = true;
      answer.on('error', () => undefined);
      void bodyOf(answer).then((body) => {
        resolve({ kind: 'answer', status: answer.statusCode ?? 0, body, location: answer.headers.location });
        // What was read to its end leaves a connection behind that may be used again; the rest is of no use.
        if (!answer.complete) sent.destroy();
      });
    });
    const stop = (): void => {
      sent.destroy(new Error('aborted'));
    };
    signal.addEventListener('abort', stop, { once: true });
    sent.on('error', (error) => {
      resolve(failed(error));
    });
    sent.once('close', () => {
      signal.removeEventListener('abort', stop);
      if (!answered) resolve(failed(new Error('EOF')));
    });
    sent.end();
  });
}

function begin({ url, headers }: HttpRequest, onAnswer: (answer: IncomingMessage) => void): ClientRequest {
  const https = url.protocol === 'https:';
  const options = {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? (https ? 443 : 80) : Number(url.port),
    path: url.pathname + url.search,
    method: 'GET',
    agent: agentOf(https, headers),
    setHost: false,
  };
  // Whoever answers on a pod's own address is the pod: there is nobody to verify.
  const sent = https
    ? httpsSend({ ...options, rejectUnauthorized: false, servername: '' }, onAnswer)
    : httpSend(options, onAnswer);
  // Node would say of itself that it closes the connection.
  sent.removeHeader('Connection');
  for (const name of new Set(headers.map(([one]) => one))) {
    sent.setHeader(
      name,
      headers.flatMap(([one, value]) => (one === name ? [value] : [])),
    );
  }
  return sent;
}

/** An agent of its own knows no proxy. Unless the request closes it, the connection is kept open for the server to close. */
function agentOf(https: boolean, headers: HttpRequest['headers']): HttpAgent | false {
  if (headers.some(([name, value]) => name === 'Connection' && value === 'close')) return false;
  return new (https ? HttpsAgent : HttpAgent)({ keepAlive: true, timeout: IDLE_MS });
}

/** The beginning of a body; one that breaks off, or that is known to be long, is what there was of it. */
async function bodyOf(answer: IncomingMessage): Promise<string> {
  if (Number(answer.headers['content-length'] ?? 0) > BODY_BYTES) return '';
  const parts: Buffer[] = [];
  let size = 0;
  try {
    for await (const part of answer as AsyncIterable<Buffer>) {
      parts.push(part);
      size += part.length;
      if (size >= BODY_BYTES) break;
    }
  } catch {
    // The answer has been given: what is missing of its body changes nothing.
  }
  return Buffer.concat(parts).subarray(0, BODY_BYTES).toString('utf8');
}

const PLAIN_HTTP = 'http: server gave HTTP response to HTTPS client';

/** OpenSSL's names for an answer that is no TLS. */
function isPlainHttp({ code, message }: NodeJS.ErrnoException): boolean {
  return (
    code === 'ERR_SSL_WRONG_VERSION_NUMBER' ||
    code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG' ||
    /wrong version number/.test(message)
  );
}

/** An error of the network in the words of Go's net package, which users know from their clusters. */
export function goError(
  error: NodeJS.ErrnoException,
  url: { readonly hostname: string; readonly port: string },
): string {
  const address = `${url.hostname}:${url.port === '' ? '80' : url.port}`;
  const known: Readonly<Record<string, string>> = {
    ECONNREFUSED: `dial tcp ${address}: connect: connection refused`,
    EHOSTUNREACH: `dial tcp ${address}: connect: no route to host`,
    ENETUNREACH: `dial tcp ${address}: connect: network is unreachable`,
    ETIMEDOUT: `dial tcp ${address}: i/o timeout`,
    ENOTFOUND: `dial tcp: lookup ${url.hostname}: no such host`,
    EAI_AGAIN: `dial tcp: lookup ${url.hostname}: server misbehaving`,
    ECONNRESET: error.message === 'socket hang up' ? 'EOF' : 'read: connection reset by peer',
    EPIPE: 'write: broken pipe',
    HPE_INVALID_CONSTANT: 'net/http: HTTP/1.x transport connection broken: malformed HTTP response',
    HPE_INVALID_VERSION: 'net/http: HTTP/1.x transport connection broken: malformed HTTP version',
  };
  return known[error.code ?? ''] ?? error.message;
}
