import type { Platform } from '../../image/manifest.ts';
import { parsePlatform } from '../../image/platform.ts';
import { normaliseReference, parseReference } from '../../image/reference.ts';
import { type Credentials, parsePair } from '../../image/registry/credentials.ts';
import { openImageStore } from '../../image/store.ts';
import { say, tell } from '../io.ts';
import { type LimitFlags, limitOptions, limitsOf } from '../limits.ts';
import { PullReport } from '../render/pull.ts';
import { type Verb, usage } from '../verb.ts';
import { yesOrNo } from '../words.ts';

interface Options extends LimitFlags {
  readonly platform?: Platform;
  readonly creds?: Credentials;
  readonly tlsVerify?: boolean;
  readonly quiet?: boolean;
}

export const verb: Verb<Options> = {
  arguments: '<reference>',
  options: [
    { flags: '--platform <os/arch>', text: "an image for another platform than this host's", parse: platformOf },
    { flags: '--creds <user:password>', text: 'instead of what `minirt login` keeps', parse: credentialsOf },
    {
      flags: '--tls-verify <bool>',
      text: 'false: any certificate will do, and plain http',
      parse: (word: string) => yesOrNo('--tls-verify', word),
    },
    ...limitOptions,
    { flags: '-q, --quiet', text: 'only the name' },
  ],
  notes: [
    'Credentials come from `minirt login`, docker login or podman login (DOCKER_CONFIG, REGISTRY_AUTH_FILE), CAs from',
    '/etc/docker/certs.d and /etc/containers/certs.d, mirrors from /etc/containers/registries.conf (CONTAINERS_REGISTRIES_CONF).',
    'HTTPS_PROXY, HTTP_PROXY and NO_PROXY count.',
  ].join('\n'),
  async run({ io, roots }, { words, options }) {
    const [reference = ''] = words;
    const name = normaliseReference(reference);
    const quiet = options.quiet === true;
    const report = new PullReport(name, io.stderr.isTTY, (text) => {
      if (!quiet) io.stderr.write(text);
    });
    const { platform, creds, tlsVerify } = options;
    const { domain } = parseReference(reference);
    try {
      const image = await openImageStore(roots.root).pull(reference, io.signal, {
        env: io.env,
        limits: limitsOf(options),
        ...(platform === undefined ? {} : { platform }),
        ...(creds === undefined ? {} : { credentials: [{ key: domain, credentials: creds }] }),
        ...(tlsVerify === undefined ? {} : { tlsVerify }),
        onProgress: (progress) => {
          report.take(progress);
        },
      });
      if (!quiet) tell(io, `Digest: ${image.digest}`);
    } finally {
      if (!quiet) report.end();
    }
    say(io, name);
    return 0;
  },
};

function platformOf(word: string): Platform {
  const platform = parsePlatform(word);
  if (platform === undefined) throw usage(`--platform: "${word}" is not a platform`, 'for example linux/arm64');
  return platform;
}

function credentialsOf(word: string): Credentials {
  const credentials = parsePair(word);
  if (credentials === undefined) throw usage('--creds: it reads USER:PASSWORD');
  return credentials;
}
