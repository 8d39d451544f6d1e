import type { HttpGetAction } from '../../manifest/pod.ts';
import { type HttpResult, httpGet } from './http-client.ts';
import { type HttpRequest, httpRequest, resolvePort } from './http-request.ts';
import type { HookOutcome } from './outcome.ts';

/** What a kubelet sends that was built without a version: minirt is no release of Kubernetes. */
const USER_AGENT = 'kube-lifecycle/.';

export interface HttpHookSurroundings {
  /** The pod's address; undefined: it has none. */
  readonly podIp: string | undefined;
  readonly ports: readonly { readonly name: string | undefined; readonly containerPort: number }[];
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
  /** What an abort is called. */
  readonly aborted: () => string;
  /** An https hook got its answer without TLS; `address` is host:port. */
  readonly onFallback: (address: string) => void;
}

/** Any answer is success; only a request without one fails (pkg/kubelet/lifecycle/handlers.go: runHTTPHandler). */
export async function runHttpHook(action: HttpGetAction, around: HttpHookSurroundings): Promise<HookOutcome> {
  const resolved = resolvePort(action.port, around.ports);
  if ('error' in resolved) return failed(resolved.error);
  const host = action.host ?? around.podIp;
  if (host === undefined) return failed('failed to find networking container: the pod has no address');
  const options = { userAgent: USER_AGENT, extra: [['Accept-Encoding', 'gzip']] as const };
  const request = httpRequest(action, { host, port: resolved.port }, options);
  const result = await httpGet(request, around);
  if (result.kind !== 'failed' || !result.plainHttp) return outcomeOf(result);
  const plain = await httpGet(withoutTls(request), around);
  if (plain.kind === 'answer') around.onFallback(request.url.host);
  return outcomeOf(plain);
}

/** Credentials that were meant for an encrypted connection do not go over a plain one. */
function withoutTls({ url, headers }: HttpRequest): HttpRequest {
  const plain = new URL(url.href.replace(/^https:/, 'http:'));
  return { url: plain, headers: headers.filter(([name]) => name !== 'Authorization') };
}

function outcomeOf(result: HttpResult): HookOutcome {
  if (result.kind !== 'answer') return failed(result.error);
  return { ok: true, exitCode: undefined, error: '', output: result.body, detail: `HTTP ${result.status}` };
}

function failed(error: string): HookOutcome {
  return { ok: false, exitCode: undefined, error, output: '', detail: error };
}
