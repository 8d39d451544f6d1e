import { posix } from 'node:path';
import type { Volume as V1Volume, VolumeMount as V1VolumeMount } from 'kubernetes-types/core/v1.js';
import type { HostPathType, MountPropagation, Volume, VolumeMount } from './volume.ts';

/** The internal volume of a checked and defaulted one, whose one source decides the kind. */
export function buildVolume({ name, hostPath }: V1Volume): Volume {
  if (hostPath !== undefined) {
    return { kind: 'hostPath', name, path: rooted(hostPath.path), type: (hostPath.type ?? '') as HostPathType };
  }
  return { kind: 'emptyDir', name };
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
