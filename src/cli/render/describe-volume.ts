/** The volumes of a pod as `kubectl describe pod` shows them (describe.go: describeVolumes). */
import type { DownwardAPIVolumeFile, Volume, VolumeProjection } from 'kubernetes-types/core/v1.js';
import type { NewerVolume } from '../../manifest/newer.ts';
import type { Lines } from './lines.ts';

export function describeVolumes(lines: Lines, volumes: readonly Volume[]): void {
  if (volumes.length === 0) lines.add(0, 'Volumes:', '<none>');
  else lines.add(0, 'Volumes:');
  for (const volume of volumes) {
    lines.add(1, `${volume.name}:`);
    for (const [title, value] of volumeFacts(volume)) lines.add(2, `${title}:`, value);
    for (const item of volume.downwardAPI?.items ?? []) lines.add(3, itemText(item));
  }
}

type Facts = readonly (readonly [title: string, value: string])[];

function volumeFacts({ name: _name, ...volume }: NewerVolume): Facts {
  const { emptyDir, hostPath, secret, configMap, persistentVolumeClaim: claim, image, projected } = volume;
  if (emptyDir !== undefined) {
    return [
      ['Type', "EmptyDir (a temporary directory that shares a pod's lifetime)"],
      ['Medium', emptyDir.medium ?? ''],
      ['SizeLimit', emptyDir.sizeLimit ?? '<unset>'],
    ];
  }
  if (hostPath !== undefined) {
    return [
      ['Type', 'HostPath (bare host directory volume)'],
      ['Path', hostPath.path],
      ['HostPathType', hostPath.type ?? ''],
    ];
  }
  if (secret !== undefined) {
    return [
      ['Type', 'Secret (a volume populated by a Secret)'],
      ['SecretName', secret.secretName ?? ''],
      ['Optional', String(secret.optional ?? false)],
    ];
  }
  if (configMap !== undefined) {
    return [
      ['Type', 'ConfigMap (a volume populated by a ConfigMap)'],
      ['Name', configMap.name ?? ''],
      ['Optional', String(configMap.optional ?? false)],
    ];
  }
  if (claim !== undefined) {
    return [
      ['Type', 'PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)'],
      ['ClaimName', claim.claimName],
      ['ReadOnly', String(claim.readOnly ?? false)],
    ];
  }
  if (image !== undefined) {
    return [
      ['Type', 'Image (a container image or OCI artifact)'],
      ['Reference', image.reference ?? ''],
      ['PullPolicy', image.pullPolicy ?? ''],
    ];
  }
  if (projected !== undefined) {
    const type = ['Type', 'Projected (a volume that contains injected data from multiple sources)'] as const;
    return [type, ...(projected.sources ?? []).flatMap(projectionFacts)];
  }
  if (volume.downwardAPI !== undefined) {
    return [
      ['Type', 'DownwardAPI (a volume populated by information about the pod)'],
      ['Items', ''],
    ];
  }
  return [['Type', Object.keys(volume)[0] ?? '<unknown>']];
}

function projectionFacts({ secret, configMap, downwardAPI }: VolumeProjection): Facts {
  if (secret !== undefined) {
    return [
      ['SecretName', secret.name ?? ''],
      ['Optional', String(secret.optional ?? false)],
    ];
  }
  if (configMap !== undefined) {
    return [
      ['ConfigMapName', configMap.name ?? ''],
      ['Optional', String(configMap.optional ?? false)],
    ];
  }
  return downwardAPI === undefined ? [] : [['DownwardAPI', 'true']];
}

function itemText({ path, fieldRef, resourceFieldRef }: DownwardAPIVolumeFile): string {
  return `${fieldRef?.fieldPath ?? resourceFieldRef?.resource ?? ''} -> ${path}`;
}
