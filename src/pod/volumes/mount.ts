import { realpath } from 'node:fs/promises';
import { MinirtError, isMinirtError } from '../../base/errors.ts';
import type { Mount, MountFlag, RootFs } from '../../container/spec.ts';
import { expandAll } from '../../manifest/expand.ts';
import type { Container, EnvVar } from '../../manifest/pod.ts';
import type { VolumeMount } from '../../manifest/volume.ts';
import { type MountEntry, readMountinfo } from '../../sys/mountinfo.ts';

const ENOTDIR = 20;

/** What is mounted of a volume, with what is mounted below it, as containerd does. Pure; throws for a bad subPathExpr. */
export function bindOf(mount: VolumeMount, source: string | RootFs, env: readonly EnvVar[]): Mount {
  const part = partOf(mount, env);
  if (typeof source !== 'string') {
    return {
      kind: 'layers',
      rootfs: source,
      ...(part === undefined ? {} : { part }),
      target: mount.mountPath,
      flags: ['ro'],
    };
  }
  return {
    kind: 'bind',
    source,
    ...(part === undefined ? {} : { part }),
    target: mount.mountPath,
    flags: ['rec', ...access(mount), PROPAGATION[mount.propagation]],
  };
}

const PROPAGATION = { None: 'rprivate', HostToContainer: 'rslave', Bidirectional: 'rshared' } as const;

function access({ readOnly, recursiveReadOnly }: VolumeMount): readonly MountFlag[] {
  if (recursiveReadOnly) return ['rro'];
  return readOnly ? ['ro'] : [];
}

/** A variable may hold what no manifest may say (pkg/kubelet/kubelet_pods.go: makeMounts). */
function partOf({ subPath, subPathExpr }: VolumeMount, env: readonly EnvVar[]): string | undefined {
  if (subPathExpr === undefined) return subPath;
  const { text, missing } = expandAll(subPathExpr, env);
  const fail = (why: string): never => {
    throw new MinirtError('volume.failed', why);
  };
  if (missing.length > 0) fail(`missing value for ${missing.join(', ')}`);
  if (text.startsWith('/')) fail(`error SubPath \`${text}\` must not be an absolute path`);
  if (text.split('/').includes('..')) fail(`unable to provision SubPath \`${text}\`: must not contain '..'`);
  return text;
}

/**
 * Mounts can only be passed on where the host itself passes them on (containerd's ensureShared, ensureSharedOrSlave).
 * @throws MinirtError host.unsupported in containerd's words
 */
export async function checkPropagation({ propagation }: VolumeMount, source: string): Promise<void> {
  if (propagation === 'None') return;
  const { mountPoint, tags } = mountOf(await realpath(source), readMountinfo());
  const has = (tag: string): boolean => tags.some((one) => one.startsWith(`${tag}:`));
  if (has('shared') || (propagation === 'HostToContainer' && has('master'))) return;
  const wanted = propagation === 'Bidirectional' ? 'shared' : 'shared or slave';
  throw new MinirtError(
    'host.unsupported',
    `path "${source}" is mounted on "${mountPoint}" but it is not a ${wanted} mount`,
    {
      hint: `mount --make-rshared ${mountPoint}`,
    },
  );
}

/** The mount that a path is on: the deepest, and of several on one point the last. */
function mountOf(path: string, mounts: readonly MountEntry[]): Pick<MountEntry, 'mountPoint' | 'tags'> {
  let found: Pick<MountEntry, 'mountPoint' | 'tags'> = { mountPoint: '/', tags: [] };
  for (const mount of mounts) {
    const { mountPoint } = mount;
    const holds = mountPoint === '/' || path === mountPoint || path.startsWith(`${mountPoint}/`);
    if (holds && mountPoint.length >= found.mountPoint.length) found = mount;
  }
  return found;
}

/** The kubelet's words for a part of a volume that could not be had; it says no more, as it is about the host. */
export function partFailure({ name, volumeMounts }: Container, error: unknown): string | undefined {
  if (!isMinirtError(error, 'helper.failed') || error.details['stage'] !== 'subpath') return undefined;
  const [how, ...target] = String(error.details['what']).split(' ');
  const mount = volumeMounts.find(({ mountPath }) => mountPath === target.join(' '));
  if (how === 'layers') return undefined;
  const what = how === 'make' ? 'create subPath directory' : 'prepare subPath';
  return `failed to ${what} for volumeMount "${mount?.name ?? ''}" of container "${name}"`;
}

/** What containerd says of a folder that an image does not have (internal/cri/server: ensureImageSubPath). */
export function imagePartFailure({ volumeMounts, ...container }: Container, error: unknown): string | undefined {
  if (!isMinirtError(error, 'helper.failed') || error.details['stage'] !== 'subpath') return undefined;
  const what = String(error.details['what']);
  if (!what.startsWith('layers ')) return undefined;
  const mount = volumeMounts.find(({ mountPath }) => `layers ${mountPath}` === what);
  const part = mount?.subPath ?? mount?.subPathExpr ?? '';
  const why = error.details['errno'] === ENOTDIR ? 'only directory subpath is supported' : 'no such file or directory';
  return `ImageVolumeMountFailed: failed to ensure image subpath "${part}" in volume "${mount?.name ?? ''}" of container "${container.name}": ${why}`;
}
