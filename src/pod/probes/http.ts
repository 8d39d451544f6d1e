import type { HttpGetAction } from '../../manifest/pod.ts';
import { httpGet } from '../hooks/http-client.ts';
import { httpRequest, resolvePort } from '../hooks/http-request.ts';
import { type ProbeSurroundings, type Tried, errored, failure, success } from './outcome.ts';

const USER_AGENT = 'kube-probe/.';
/** What Go's client adds when connections are not kept. */
const EXTRA = [['Connection', 'close']] as const;

/** 200 to 399 is success; a redirect that is not followed is success with a warning (pkg/probe/http/http.go). */
export async function tryHttp(action: HttpGetAction, around: ProbeSurroundings): Promise<Tried> {
  const resolved = resolvePort(action.port, around.ports);
  if ('error' in resolved) return errored(resolved.error);
  const host = action.host ?? around.podIp;
  if (host === undefined) return errored('the pod has no address');
  const request = httpRequest(action, { host, port: resolved.port }, { userAgent: USER_AGENT, extra: EXTRA });
  const aborted = (): string => 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)';
  const result = await httpGet(request, { signal: around.signal, aborted });
  if (result.kind !== 'answer') return failure(result.error);
  const { status, body } = result;
  if (status < 200 || status >= 400) return failure(`HTTP probe failed with statuscode: ${status}`);
  if (status < 300) return success(body);
  const output = `Probe terminated redirects, Response body: ${body}`;
  return { outcome: 'warning', exitCode: undefined, output };
}
