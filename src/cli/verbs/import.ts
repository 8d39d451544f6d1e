import { type ImageConfig, openImageStore } from '../../image/store.ts';
import { say } from '../io.ts';
import { type LimitFlags, limitOptions, limitsOf } from '../limits.ts';
import { type Verb, usage } from '../verb.ts';

interface Options extends LimitFlags {
  readonly config?: Partial<ImageConfig>;
}

export const verb: Verb<Options> = {
  arguments: '<rootfs> <reference>',
  options: [
    {
      flags: '--config <json>',
      text: 'how it is run, as in an OCI config: {"Entrypoint": ["/app"], "Env": ["A=1"], "User": "app"}',
      parse: parseImageConfig,
    },
    ...limitOptions,
  ],
  notes: 'ROOTFS is a tar file of a root filesystem, gzip and zstd too, or - for stdin.',
  async run({ io, roots }, { words, options }) {
    const [rootfs = '', reference = '', ...more] = words;
    if (more.length > 0) throw usage('import takes a root filesystem and one name');
    const source = rootfs === '-' ? { stream: io.stdin } : { path: rootfs };
    const store = openImageStore(roots.root);
    const { config = {} } = options;
    const image = await store.importRootfs(source, { reference, config, limits: limitsOf(options) }, io.signal);
    for (const name of image.names) say(io, name);
    return 0;
  },
};

/** OCI's field → ours, and what it must be. */
const FIELDS: Readonly<Record<string, { readonly key: keyof ImageConfig; readonly kind: 'text' | 'texts' | 'keys' }>> =
  {
    Entrypoint: { key: 'entrypoint', kind: 'texts' },
    Cmd: { key: 'cmd', kind: 'texts' },
    Env: { key: 'env', kind: 'texts' },
    WorkingDir: { key: 'workingDir', kind: 'text' },
    User: { key: 'user', kind: 'text' },
    StopSignal: { key: 'stopSignal', kind: 'text' },
    Volumes: { key: 'volumes', kind: 'keys' },
    ExposedPorts: { key: 'exposedPorts', kind: 'keys' },
  };

/** Reads `--config`; a usage error names the field that is wrong. */
export function parseImageConfig(text: string): Partial<ImageConfig> {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw usage('--config: not JSON', `for example '{"Cmd": ["/bin/sh"]}'`);
  }
  if (!isMap(document)) throw usage('--config: not an object');
  const config: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(document)) {
    const field = FIELDS[name];
    if (field === undefined) throw usage(`--config: ${name} is not known`, `known: ${Object.keys(FIELDS).join(', ')}`);
    config[field.key] = fieldValue(name, field.kind, value);
  }
  return config;
}

function fieldValue(name: string, kind: 'text' | 'texts' | 'keys', value: unknown): unknown {
  if (kind === 'text' && typeof value === 'string') return value;
  if (kind === 'texts' && Array.isArray(value) && value.every((one) => typeof one === 'string')) return value;
  if (kind === 'keys' && isMap(value)) return Object.keys(value);
  const wanted = { text: 'a string', texts: 'a list of strings', keys: 'an object' };
  throw usage(`--config: ${name} must be ${wanted[kind]}`);
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
