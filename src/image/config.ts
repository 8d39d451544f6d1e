import { MinirtError } from '../base/errors.ts';
import { hexOf } from './digest.ts';
import { type JsonObject, isObject, parseObject, textIn, textsIn } from './json.ts';

/** What an image says about its process. */
export interface ImageConfig {
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  /** `NAME=VALUE`, verbatim. */
  readonly env: readonly string[];
  /** Empty: `/`. */
  readonly workingDir: string;
  /** `name`, `uid`, `name:group`, …; empty: root. */
  readonly user: string;
  /** As written: a name with or without SIG, or a number. */
  readonly stopSignal: string | undefined;
  readonly volumes: readonly string[];
  /** Such as `80/tcp`. */
  readonly exposedPorts: readonly string[];
}

/** A config document as far as minirt reads it. */
export interface ConfigDocument {
  readonly config: ImageConfig;
  /** Digests of the uncompressed layers, bottom first. */
  readonly diffIds: readonly string[];
  readonly created: string | undefined;
  readonly architecture: string | undefined;
  readonly os: string | undefined;
}

/**
 * Reads an OCI or Docker image config. Labels are never read: they come from the image, and nothing may hang on them.
 * @throws MinirtError image.invalid, image.unsupported
 */
export function parseConfig(bytes: Uint8Array): ConfigDocument {
  const what = 'image config';
  const document = parseObject(bytes, what);
  const rootfs = document['rootfs'];
  if (!isObject(rootfs)) throw new MinirtError('image.invalid', `read ${what}: rootfs: missing`);
  const process = document['config'] ?? {};
  if (!isObject(process)) throw new MinirtError('image.invalid', `read ${what}: config: not an object`);
  const diffIds = textsIn(rootfs, 'diff_ids', what);
  diffIds.forEach(hexOf);
  return {
    config: {
      entrypoint: textsIn(process, 'Entrypoint', what),
      cmd: textsIn(process, 'Cmd', what),
      env: textsIn(process, 'Env', what),
      workingDir: textIn(process, 'WorkingDir', what) ?? '',
      user: textIn(process, 'User', what) ?? '',
      stopSignal: textIn(process, 'StopSignal', what),
      volumes: keysIn(process, 'Volumes'),
      exposedPorts: keysIn(process, 'ExposedPorts'),
    },
    diffIds,
    created: textIn(document, 'created', what),
    architecture: textIn(document, 'architecture', what),
    os: textIn(document, 'os', what),
  };
}

/** The config document of an image made here. */
export function formatConfig(
  config: Partial<ImageConfig>,
  about: { diffIds: readonly string[]; created: string },
): Buffer {
  const keys = (names: readonly string[] = []): object | undefined =>
    names.length === 0 ? undefined : Object.fromEntries(names.map((name) => [name, {}]));
  const list = (items: readonly string[] = []): readonly string[] | undefined =>
    items.length === 0 ? undefined : items;
  const document = {
    created: about.created,
    architecture: hostArchitecture(),
    os: 'linux',
    config: {
      User: config.user || undefined,
      ExposedPorts: keys(config.exposedPorts),
      Env: list(config.env),
      Entrypoint: list(config.entrypoint),
      Cmd: list(config.cmd),
      Volumes: keys(config.volumes),
      WorkingDir: config.workingDir || undefined,
      StopSignal: config.stopSignal,
    },
    rootfs: { type: 'layers', diff_ids: about.diffIds },
  };
  return Buffer.from(JSON.stringify(document));
}

/** This host in the names of GOARCH. */
export function hostArchitecture(): string {
  const names: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386', ppc64: 'ppc64le' };
  return names[process.arch] ?? process.arch;
}

function keysIn(object: JsonObject, key: string): readonly string[] {
  const value = object[key] ?? {};
  if (!isObject(value)) throw new MinirtError('image.invalid', `read image config: ${key}: not an object`);
  return Object.keys(value);
}
