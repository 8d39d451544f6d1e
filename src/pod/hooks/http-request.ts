import type { HttpGetAction } from '../../manifest/pod.ts';

/** What is sent to a server: everything but the connection. */
export interface HttpRequest {
  readonly url: URL;
  /** Names and values in the order in which they are written. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/**
 * The request of an httpGet handler (pkg/probe/http/request.go). Headers are in the order in which a kubelet writes them:
 * Host, User-Agent, then the rest by name, and what its HTTP client adds of itself at the end.
 */
export function httpRequest(
  action: HttpGetAction,
  target: { readonly host: string; readonly port: number },
  options: {
    readonly userAgent: string;
    /** What the client itself adds, at the end. */
    readonly extra: readonly (readonly [name: string, value: string])[];
  },
): HttpRequest {
  const url = requestUrl(action, target);
  const own = new Map<string, string[]>();
  for (const { name, value } of action.headers) {
    const key = canonical(name);
    own.set(key, [...(own.get(key) ?? []), value]);
  }
  const host = own.get('Host')?.at(-1) ?? url.host;
  const agent = own.get('User-Agent')?.[0] ?? options.userAgent;
  const accept = own.get('Accept');
  if (accept === undefined) own.set('Accept', ['*/*']);
  // An empty one asks for none.
  else if (accept.length === 1 && accept[0] === '') own.delete('Accept');
  const rest = [...own]
    .filter(([name]) => name !== 'Host' && name !== 'User-Agent')
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const headers: [string, string][] = [
    ['Host', host],
    ...(agent === '' ? [] : [['User-Agent', agent] as [string, string]]),
    ...rest.flatMap(([name, values]) => values.map((value): [string, string] => [name, value])),
  ];
  const extra = options.extra.filter(([name]) => !own.has(name));
  return { url, headers: [...headers, ...extra] };
}

/** A path may have a query; one that is no URL is used as it stands. */
function requestUrl({ scheme, path }: HttpGetAction, { host, port }: { host: string; port: number }): URL {
  const bare = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  const base = `${scheme.toLowerCase()}://${bare}:${port}`;
  return new URL(path.startsWith('/') ? `${base}${path}` : `${base}/${path}`);
}

/** Go's spelling of a header's name: `x-who` is `X-Who` (net/textproto.CanonicalMIMEHeaderKey). */
function canonical(name: string): string {
  return name.replaceAll(/[^-]+/g, (word) => word.charAt(0).toUpperCase() + word.slice(1).toLowerCase());
}

/**
 * Where a redirect leads, if a kubelet follows it: to the same host name, ten times at most (pkg/probe/http:
 * RedirectChecker). undefined: the redirect itself is the answer.
 */
export function redirection(from: HttpRequest, status: number, location: string | undefined): HttpRequest | undefined {
  if (![301, 302, 303, 307, 308].includes(status) || location === undefined) return undefined;
  if (!URL.canParse(location, from.url.href)) return undefined;
  const url = new URL(location, from.url.href);
  if (url.hostname !== from.url.hostname || !['http:', 'https:'].includes(url.protocol)) return undefined;
  const headers = from.headers.map(([name, value]): [string, string] =>
    name === 'Host' ? ['Host', url.host] : [name, value],
  );
  // Where the manifest gave a Host of its own, Go's client keeps it.
  const kept = from.headers.find(([name]) => name === 'Host')?.[1];
  return { url, headers: kept !== from.url.host ? from.headers : headers };
}

/** The number of a handler's port: a number, or the name of one of the container's ports (lifecycle.ResolveContainerPort). */
export function resolvePort(
  port: number | string,
  ports: readonly { readonly name: string | undefined; readonly containerPort: number }[],
): { readonly port: number } | { readonly error: string } {
  const named = ports.find(({ name }) => name !== undefined && name === port);
  const value = named?.containerPort ?? Number(port);
  if (named === undefined && typeof port === 'string' && !/^\d+$/.test(port)) {
    return { error: `couldn't find port: "${port}"` };
  }
  return value >= 1 && value <= 65535 ? { port: value } : { error: `invalid port number: ${value}` };
}
