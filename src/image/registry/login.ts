import { MinirtError } from '../../base/errors.ts';
import { Access } from './access.ts';
import { findOrigin } from './client.ts';
import type { Credentials } from './credentials.ts';
import { type PullOptions, openTransport } from './pull.ts';
import { discard } from './transport.ts';

/**
 * Asks a registry whether it takes these credentials. One that asks for none takes any.
 * @throws MinirtError registry.refused, registry.unreachable
 */
export async function checkLogin(
  domain: string,
  credentials: Credentials,
  options: PullOptions & { readonly signal: AbortSignal },
): Promise<void> {
  await using transport = openTransport(options);
  const origin = await findOrigin(transport, domain, options.signal);
  const access = new Access({ transport, origin, scope: '', credentials });
  const refusal = await transport.send({ url: origin }, options.signal);
  if (refusal.status === 401 && (await access.obtain(refusal, options.signal))) {
    const answer = await transport.send({ url: origin, authorization: access.header }, options.signal);
    await discard(answer);
    if (answer.status === 200) return;
  }
  await discard(refusal);
  if (refusal.status === 200) return;
  throw new MinirtError('registry.refused', `log in: ${domain}: the registry answered ${refusal.status}`, {
    hint: 'the name or the password is wrong',
  });
}
