/** Kubernetes' rules for volumes of files that come from elsewhere (pkg/apis/core/validation: validateVolumeSource). */
import type {
  ConfigMapProjection,
  DownwardAPIVolumeFile,
  KeyToPath,
  Volume,
  VolumeProjection,
} from 'kubernetes-types/core/v1.js';
import type { Path } from './node.ts';
import { type Report, complain } from './problem.ts';
import { validateFieldRef, validateResourceRef } from './validate-env.ts';

const FIELDS = ['metadata.annotations', 'metadata.labels', 'metadata.name', 'metadata.namespace', 'metadata.uid'];

export function validateContent(volume: Partial<Volume>, path: Path, report: Report): void {
  const { configMap, secret, downwardAPI, projected } = volume;
  for (const [kind, source] of Object.entries({ configMap, secret, downwardAPI, projected })) {
    if (source !== undefined) validateMode(source.defaultMode, [...path, kind, 'defaultMode'], report);
  }
  if (configMap !== undefined) validateObject(configMap, 'name', [...path, 'configMap'], report);
  if (secret !== undefined) {
    const { secretName, ...source } = secret;
    validateObject({ ...source, name: secretName }, 'secretName', [...path, 'secret'], report);
  }
  if (downwardAPI !== undefined) validateDownward(downwardAPI.items ?? [], [...path, 'downwardAPI', 'items'], report);
  const seen = new Set<string>();
  projected?.sources?.forEach((source, i) => {
    validateProjection(source, [...path, 'projected', 'sources', i], report);
    for (const at of pathsOf(source)) {
      if (seen.has(at)) complain(report, [...path, 'projected'], at, ['conflicting duplicate paths']);
      seen.add(at);
    }
  });
}

function validateProjection(source: VolumeProjection, path: Path, report: Report): void {
  const { configMap, secret, downwardAPI } = source;
  if (Object.keys(source).length > 1) {
    report.problem(path, 'Forbidden: may not specify more than 1 volume type under sources');
  }
  for (const [kind, object] of Object.entries({ configMap, secret })) {
    if (object !== undefined) validateObject(object, 'name', [...path, kind], report);
  }
  if (downwardAPI !== undefined) validateDownward(downwardAPI.items ?? [], [...path, 'downwardAPI', 'items'], report);
}

function pathsOf({ configMap, secret, downwardAPI }: VolumeProjection): readonly string[] {
  const items = [...(configMap?.items ?? []), ...(secret?.items ?? []), ...(downwardAPI?.items ?? [])];
  return items.map(({ path }: { readonly path?: string }) => path ?? '').filter((path) => path !== '');
}

/** The object must be named, by the field `field`. */
function validateObject(
  { name = '', items = [] }: { readonly name?: string | undefined; readonly items?: ConfigMapProjection['items'] },
  field: string,
  path: Path,
  report: Report,
): void {
  if (name === '') report.problem([...path, field], 'Required value');
  items.forEach((item: Partial<KeyToPath>, i) => {
    const at = [...path, 'items', i];
    if ((item.key ?? '') === '') report.problem([...at, 'key'], 'Required value');
    validateFile(item, at, report);
  });
}

function validateDownward(items: readonly Partial<DownwardAPIVolumeFile>[], path: Path, report: Report): void {
  items.forEach((item, i) => {
    const at = [...path, i];
    const { fieldRef, resourceFieldRef } = item;
    validateFile(item, at, report);
    if (fieldRef !== undefined) validateFieldRef(fieldRef, FIELDS, [...at, 'fieldRef'], report);
    if (fieldRef !== undefined && resourceFieldRef !== undefined) {
      complain(report, at, 'resource', ['fieldRef and resourceFieldRef can not be specified simultaneously']);
    } else if (resourceFieldRef !== undefined) {
      const where = [...at, 'resourceFieldRef'];
      if ((resourceFieldRef.containerName ?? '') === '') report.problem([...where, 'containerName'], 'Required value');
      validateResourceRef(resourceFieldRef, where, report);
    } else if (fieldRef === undefined) {
      report.problem(at, 'Required value: one of fieldRef and resourceFieldRef is required');
    }
  });
}

function validateFile({ path = '', mode }: { path?: string; mode?: number }, at: Path, report: Report): void {
  validateFilePath(path, [...at, 'path'], report);
  validateMode(mode, [...at, 'mode'], report);
}

/** A file within a volume (validateLocalNonReservedPath): what begins with two dots is the volume's own. */
export function validateFilePath(path: string, at: Path, report: Report): void {
  if (path === '') report.problem(at, 'Required value');
  complain(report, at, path, notDescending(path));
  if (path.startsWith('..') && !path.split('/').includes('..')) {
    complain(report, at, path, ["must not start with '..'"]);
  }
}

function validateMode(mode: number | undefined, path: Path, report: Report): void {
  if (mode === undefined || (mode >= 0 && mode <= 0o777)) return;
  complain(report, path, mode, ['must be a number between 0 and 0777 (octal), both inclusive']);
}

/** A relative path that stays below where it begins (validateLocalDescendingPath). */
export function notDescending(path: string): readonly string[] {
  return [...(path.startsWith('/') ? ['must be a relative path'] : []), ...backsteps(path)];
}

/** validatePathNoBacksteps. */
export function backsteps(path: string): readonly string[] {
  return path.split('/').includes('..') ? ["must not contain '..'"] : [];
}
