import { posix } from 'node:path';
import type {
  DownwardAPIVolumeFile,
  KeyToPath as V1KeyToPath,
  VolumeMount as V1VolumeMount,
  VolumeProjection,
} from 'kubernetes-types/core/v1.js';
import { defaultPullPolicy, volumeKey } from './defaults.ts';
import type { NewerVolume } from './newer.ts';
import type {
  DownwardFile,
  HostPathType,
  MountPropagation,
  PullPolicy,
  Projection,
  Volume,
  VolumeMount,
} from './volume.ts';

/**
 * The internal volume of a checked and defaulted one, whose one source decides the kind. `unwritten`: as the annotation
 * DEFAULTED_POLICY has them.
 */
export function buildVolume(volume: NewerVolume, unwritten: ReadonlySet<string>): Volume {
  const { name, emptyDir, hostPath, configMap, secret, downwardAPI, projected, persistentVolumeClaim: claim } = volume;
  if (hostPath !== undefined) {
    return { kind: 'hostPath', name, path: rooted(hostPath.path), type: (hostPath.type ?? '') as HostPathType };
  }
  if (configMap !== undefined) {
    return { kind: 'configMap', name, sources: [fromObject('configMap', configMap)], defaultMode: modeOf(configMap) };
  }
  if (secret !== undefined) {
    const source = fromObject('secret', { ...secret, name: secret.secretName });
    return { kind: 'secret', name, sources: [source], defaultMode: modeOf(secret) };
  }
  if (downwardAPI !== undefined) {
    return { kind: 'downwardAPI', name, sources: [fromPod(downwardAPI)], defaultMode: modeOf(downwardAPI) };
  }
  if (projected !== undefined) {
    const sources = (projected.sources ?? []).flatMap(fromProjection);
    return { kind: 'projected', name, sources, defaultMode: modeOf(projected) };
  }
  if (claim !== undefined) {
    return { kind: 'persistentVolumeClaim', name, claim: claim.claimName, readOnly: claim.readOnly ?? false };
  }
  if (volume.image !== undefined) {
    const { reference = '', pullPolicy = defaultPullPolicy(reference) } = volume.image;
    const pullPolicyWritten = !(pullPolicy === 'Always' && unwritten.has(volumeKey(name)));
    return { kind: 'image', name, reference, pullPolicy: pullPolicy as PullPolicy, pullPolicyWritten };
  }
  const { medium = '', sizeLimit } = emptyDir ?? {};
  return { kind: 'emptyDir', name, medium, sizeLimit };
}

function modeOf({ defaultMode = 0o644 }: { readonly defaultMode?: number }): number {
  return defaultMode;
}

function fromProjection({ configMap, secret, downwardAPI }: VolumeProjection): readonly Projection[] {
  return [
    ...(configMap === undefined ? [] : [fromObject('configMap', configMap)]),
    ...(secret === undefined ? [] : [fromObject('secret', secret)]),
    ...(downwardAPI === undefined ? [] : [fromPod(downwardAPI)]),
  ];
}

function fromObject(
  kind: 'configMap' | 'secret',
  source: { readonly name?: string | undefined; readonly items?: readonly V1KeyToPath[]; readonly optional?: boolean },
): Projection {
  const items = (source.items ?? []).map(({ key, path, mode }) => ({ key, path, mode }));
  return { kind, object: source.name ?? '', items, optional: source.optional ?? false };
}

function fromPod({ items = [] }: { readonly items?: readonly DownwardAPIVolumeFile[] }): Projection {
  return { kind: 'downwardAPI', items: items.map(downwardFile) };
}

function downwardFile({ path, mode, fieldRef, resourceFieldRef }: DownwardAPIVolumeFile): DownwardFile {
  if (fieldRef !== undefined) return { path, mode, from: { kind: 'field', path: fieldRef.fieldPath } };
  const { containerName = '', resource = '', divisor = '0' } = resourceFieldRef ?? {};
  return { path, mode, from: { kind: 'resource', container: containerName, resource, divisor } };
}

export function buildVolumeMount(mount: V1VolumeMount): VolumeMount {
  const { name, mountPath, readOnly = false, recursiveReadOnly = 'Disabled', mountPropagation, ...parts } = mount;
  return {
    name,
    mountPath: absolute(mountPath),
    readOnly,
    // Every kernel that minirt runs on can do it.
    recursiveReadOnly: recursiveReadOnly === 'Enabled' || recursiveReadOnly === 'IfPossible',
    propagation: (unlessEmpty(mountPropagation) as MountPropagation | undefined) ?? 'None',
    subPath: unlessEmpty(parts.subPath),
    subPathExpr: unlessEmpty(parts.subPathExpr),
  };
}

function unlessEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

function rooted(path: string): string {
  return path.startsWith('/') ? path : `/${path}`;
}

/** A path in its shortest form; one without a slash begins at the root (MakeAbsolutePath). */
export function absolute(path: string): string {
  return posix.resolve('/', path);
}
