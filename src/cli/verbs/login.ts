import { keepCredentials } from '../../image/registry/auth-files.ts';
import { checkLogin } from '../../image/registry/login.ts';
import { say } from '../io.ts';
import { ask, readSecret } from '../prompt.ts';
import { registryOf } from '../registry.ts';
import { type Context, type Verb, usage } from '../verb.ts';
import { yesOrNo } from '../words.ts';

interface Options {
  readonly username?: string;
  readonly passwordStdin?: boolean;
  readonly tlsVerify?: boolean;
}

export const verb: Verb<Options> = {
  arguments: '[registry]',
  options: [
    { flags: '-u, --username <name>', text: 'else it is asked for' },
    { flags: '--password-stdin', text: 'the password comes from stdin; else it is asked for' },
    {
      flags: '--tls-verify <bool>',
      text: 'false: any certificate will do, and plain http',
      parse: (word: string) => yesOrNo('--tls-verify', word),
    },
  ],
  notes: [
    "Without a registry: Docker's. What is kept, unencrypted, is kept as docker login keeps it: in ~/.docker/config.json, or where",
    'DOCKER_CONFIG or REGISTRY_AUTH_FILE says.',
  ].join('\n'),
  async run(context, { words, options }) {
    const { io } = context;
    const registry = registryOf(words[0]);
    const { tlsVerify } = options;
    const { username, password } = await whoOf(context, options);
    const credentials = { kind: 'password', username, password } as const;
    const how = { env: io.env, signal: io.signal, ...(tlsVerify === undefined ? {} : { tlsVerify }) };
    await checkLogin(registry, credentials, how);
    await keepCredentials(io.env, registry, credentials);
    say(io, 'Login Succeeded');
    return 0;
  },
};

async function whoOf(
  { io }: Context,
  { username, passwordStdin }: Options,
): Promise<{ readonly username: string; readonly password: string }> {
  if (passwordStdin === true) {
    if (username === undefined) throw usage('--password-stdin needs --username');
    return { username, password: await readSecret(io) };
  }
  if (!io.stdin.isTTY)
    throw usage('stdin is no terminal: nobody to ask', 'minirt login -u NAME --password-stdin REGISTRY');
  const name = username ?? (await ask(io, 'Username: ', false));
  return { username: name, password: await ask(io, 'Password: ', true) };
}
