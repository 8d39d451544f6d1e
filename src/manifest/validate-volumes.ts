/** Kubernetes' rules for volumes and how they are mounted (pkg/apis/core/validation: ValidateVolumes, ValidateVolumeMounts). */
import { posix } from 'node:path';
import type {
  EmptyDirVolumeSource,
  HostPathVolumeSource,
  PersistentVolumeClaimVolumeSource,
  VolumeMount,
} from 'kubernetes-types/core/v1.js';
import * as names from './names.ts';
import type { ImageVolumeSource, NewerVolume } from './newer.ts';
import type { Path } from './node.ts';
import { type Report, complain } from './problem.ts';
import { nanos } from './quantity.ts';
import { backsteps, notDescending, validateContent } from './validate-content.ts';

export function validateVolumes(volumes: readonly Partial<NewerVolume>[], path: Path, report: Report): void {
  const seen = new Set<string>();
  volumes.forEach((volume, i) => {
    const { name = '', ...sources } = volume;
    const at = [...path, i];
    if (name === '') report.problem([...at, 'name'], 'Required value');
    else if (seen.has(name)) report.problem([...at, 'name'], `Duplicate value: ${JSON.stringify(name)}`);
    else complain(report, [...at, 'name'], name, names.labelComplaints(name));
    seen.add(name);
    validateHostPath(volume.hostPath, [...at, 'hostPath'], report);
    validateContent(volume, at, report);
    validateEmptyDir(volume.emptyDir, [...at, 'emptyDir'], report);
    validateClaim(volume.persistentVolumeClaim, [...at, 'persistentVolumeClaim'], report);
    validateImage(volume.image, [...at, 'image'], report);
    const [, ...others] = Object.keys(sources);
    for (const kind of others) report.problem([...at, kind], 'Forbidden: may not specify more than 1 volume type');
  });
}

function validateClaim(
  source: Partial<PersistentVolumeClaimVolumeSource> | undefined,
  path: Path,
  report: Report,
): void {
  if (source !== undefined && (source.claimName ?? '') === '') report.problem([...path, 'claimName'], 'Required value');
}

function validateImage(source: ImageVolumeSource | undefined, path: Path, report: Report): void {
  if (source === undefined) return;
  const { reference = '' } = source;
  if (reference === '') report.problem([...path, 'reference'], 'Required value');
  else if (reference !== reference.trim()) {
    complain(report, [...path, 'reference'], reference, ['must not have leading or trailing whitespace']);
  }
}

function validateEmptyDir(source: EmptyDirVolumeSource | undefined, path: Path, report: Report): void {
  const { sizeLimit } = source ?? {};
  if (sizeLimit !== undefined && nanos(sizeLimit) < 0n) {
    report.problem([...path, 'sizeLimit'], 'Forbidden: SizeLimit field must be a valid resource quantity');
  }
}

function validateHostPath(source: Partial<HostPathVolumeSource> | undefined, path: Path, report: Report): void {
  if (source === undefined) return;
  const { path: place = '' } = source;
  if (place === '') report.problem([...path, 'path'], 'Required value');
  else complain(report, [...path, 'path'], place, backsteps(place));
}

export interface AroundMounts {
  readonly volumes: readonly { readonly name?: string }[];
  /** Whether the container is. */
  readonly privileged: boolean;
  /** Whether the pod has a user namespace. */
  readonly ownUsers: boolean;
}

export function validateVolumeMounts(
  mounts: readonly Partial<VolumeMount>[],
  { volumes, ...around }: AroundMounts,
  path: Path,
  report: Report,
): void {
  const seen = new Set<string>();
  mounts.forEach((mount, i) => {
    const { name = '', mountPath = '' } = mount;
    const at = [...path, i];
    validateParts(mount, at, report);
    validateSharing(mount, around, at, report);
    if (name === '') report.problem([...at, 'name'], 'Required value');
    else if (!volumes.some((volume) => volume.name === name)) {
      report.problem([...at, 'name'], `Not found: ${JSON.stringify(name)}`);
    }
    if (mountPath === '') report.problem([...at, 'mountPath'], 'Required value');
    else if (seen.has(mountPath)) complain(report, [...at, 'mountPath'], mountPath, ['must be unique']);
    else if (mountPath.includes(':')) complain(report, [...at, 'mountPath'], mountPath, ["must not contain ':'"]);
    // Kubernetes finds this out when the container is made.
    else if (posix.resolve('/', mountPath) === '/')
      complain(report, [...at, 'mountPath'], mountPath, ['must not be the root']);
    seen.add(mountPath);
  });
}

function validateParts({ subPath = '', subPathExpr = '' }: Partial<VolumeMount>, path: Path, report: Report): void {
  complain(report, [...path, 'subPath'], subPath, notDescending(subPath));
  if (subPath !== '' && subPathExpr !== '') {
    complain(report, [...path, 'subPathExpr'], subPathExpr, ['subPathExpr and subPath are mutually exclusive']);
  }
  complain(report, [...path, 'subPathExpr'], subPathExpr, notDescending(subPathExpr));
}

function validateSharing(
  mount: Partial<VolumeMount>,
  { privileged, ownUsers }: Pick<AroundMounts, 'privileged' | 'ownUsers'>,
  path: Path,
  report: Report,
): void {
  const { readOnly = false, recursiveReadOnly = 'Disabled', mountPropagation = 'None' } = mount;
  if (mountPropagation === 'Bidirectional' && !privileged) {
    const why = 'Bidirectional mount propagation is available only to privileged containers';
    report.problem([...path, 'mountPropagation'], `Forbidden: ${why}`);
  }
  // What is mounted in a user namespace never reaches the host.
  if (mountPropagation === 'Bidirectional' && ownUsers) {
    report.problem([...path, 'mountPropagation'], 'not supported: Bidirectional with `hostUsers: false`');
  }
  if (recursiveReadOnly !== 'Enabled' && recursiveReadOnly !== 'IfPossible') return;
  const at = [...path, 'recursiveReadOnly'];
  if (!readOnly) report.problem(at, 'Forbidden: may only be specified when readOnly is true');
  if (mountPropagation !== 'None') {
    report.problem(at, 'Forbidden: may only be specified when mountPropagation is None or not specified');
  }
}
