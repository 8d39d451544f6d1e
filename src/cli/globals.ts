import { resolve } from 'node:path';
import { type Roots, defaultRoots } from '../state/paths.ts';
import type { Io } from './io.ts';
import { type Context, type OptionSpec, usage } from './verb.ts';
import { isObjectName } from './words.ts';

export interface GlobalOptions {
  readonly root?: string;
  readonly state?: string;
  readonly logDir?: string;
  readonly logLevel?: string;
  readonly logFormat?: 'pretty' | 'json';
  readonly namespace?: string;
  readonly allNamespaces?: boolean;
}

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

/** Flags that every verb takes, before it or after it. */
export const globalOptions: readonly OptionSpec[] = [
  { flags: '--root <dir>', text: 'images and bulky data (MINIRT_ROOT, /var/lib/minirt)' },
  { flags: '--state <dir>', text: 'what is known about running pods (MINIRT_STATE, /run/minirt)' },
  { flags: '--log-dir <dir>', text: 'container logs (MINIRT_LOGS, /var/log/minirt/pods; ROOT/logs with --root)' },
  { flags: '--log-level <level>', text: "minirt's own log, on stderr", choices: LEVELS },
  { flags: '--log-format <format>', text: 'form of that log', choices: ['pretty', 'json'] },
  { flags: '-n, --namespace <name>', text: 'namespace of the pods (default)' },
  { flags: '-A, --all-namespaces', text: 'pods of all namespaces' },
];

/** Resolves flags and environment; a root that was chosen keeps its logs within, so that several never mix. */
export function makeContext(io: Io, options: GlobalOptions): Context {
  const { namespace = 'default', logLevel = 'warn', logFormat = 'pretty' } = options;
  if (!isObjectName(namespace) || namespace.length > 63) throw usage(`-n: "${namespace}" is not a namespace`);
  return {
    io,
    roots: resolveRoots(io.env, options),
    namespace,
    namespaceGiven: options.namespace !== undefined,
    allNamespaces: options.allNamespaces === true,
    logLevel,
    logFormat,
    log: async () => (await import('../base/log.ts')).createLogger({ level: logLevel, format: logFormat }),
  };
}

export function resolveRoots(env: Io['env'], options: GlobalOptions): Roots {
  const given = (flag: string | undefined, name: string): string | undefined => flag ?? (env[name] || undefined);
  const root = given(options.root, 'MINIRT_ROOT');
  const state = given(options.state, 'MINIRT_STATE');
  const logs = given(options.logDir, 'MINIRT_LOGS') ?? (root === undefined ? undefined : resolve(root, 'logs'));
  return {
    root: resolve(root ?? defaultRoots.root),
    state: resolve(state ?? defaultRoots.state),
    logs: resolve(logs ?? defaultRoots.logs),
  };
}
