/** Programs that keep credentials, as Docker's config names them (docker/docker-credential-helpers). */
import { MinirtError, isErrno, messageOf } from '../../base/errors.ts';
import { runCommand } from '../../sys/command.ts';
import { type JsonObject, isObject, parseObject, textIn } from '../json.ts';
import type { Credentials } from './credentials.ts';

/** A helper may ask a keyring, but nobody at a keyboard. */
const LONGEST_MS = 30_000;
/** What a helper says of a registry that it has nothing for. */
const UNKNOWN = /credentials not found/i;
/** The name that stands for an identity token. */
const TOKEN = '<token>';

/** The helper that a config names for a registry; `key`: what the helper calls it. Undefined: the file itself keeps them. */
export function helperFor(
  config: JsonObject,
  registry: { readonly domain: string; readonly key: string },
  what: string,
): { readonly name: string; readonly key: string } | undefined {
  const own = config['credHelpers'];
  if (own !== undefined && !isObject(own))
    throw new MinirtError('image.invalid', `read ${what}: credHelpers: not an object`);
  for (const key of [registry.domain, registry.key]) {
    const name = own === undefined ? undefined : textIn(own, key, what);
    if (name !== undefined) return { name, key };
  }
  const name = textIn(config, 'credsStore', what);
  return name === undefined ? undefined : { name, key: registry.key };
}

/**
 * Asks a helper; undefined when it knows of none.
 * @throws MinirtError registry.refused
 */
export async function askHelper(
  { name, key }: { readonly name: string; readonly key: string },
  env: Readonly<Record<string, string | undefined>>,
): Promise<Credentials | undefined> {
  const program = `docker-credential-${name}`;
  const failed = (why: string, cause?: unknown): MinirtError =>
    new MinirtError('registry.refused', `get credentials: ${program}: ${why}`, {
      cause,
      hint: "install it, or take it out of Docker's config.json",
    });
  if (!/^[\w.-]+$/.test(name)) throw failed('not the name of a program');
  const signal = AbortSignal.timeout(LONGEST_MS);
  const variables = Object.fromEntries(
    Object.entries(env).flatMap(([one, value]) => (value === undefined ? [] : [[one, value]])),
  );
  const { code, stdout } = await runCommand(program, ['get'], { input: key, env: variables, signal }).catch(
    (cause: unknown) => {
      throw failed(isErrno(cause, 'ENOENT') ? 'there is no such program' : messageOf(cause), cause);
    },
  );
  if (code !== 0) {
    if (UNKNOWN.test(stdout)) return undefined;
    // What it says may be about what is secret.
    throw failed(`it ended with status ${String(code)}`);
  }
  const answer = parseObject(Buffer.from(stdout), program);
  const username = textIn(answer, 'Username', program) ?? '';
  const secret = textIn(answer, 'Secret', program) ?? '';
  if (secret === '') return undefined;
  return username === TOKEN ? { kind: 'identity', token: secret } : { kind: 'password', username, password: secret };
}
