/** Kubernetes' rules for ConfigMaps, Secrets and claims (pkg/apis/core/validation: ValidateConfigMap and its like). */
import { Buffer } from 'node:buffer';
import type { ConfigMap, PersistentVolumeClaim, Secret } from 'kubernetes-types/core/v1.js';
import * as names from './names.ts';
import { type Report, complain } from './problem.ts';
import { nanos } from './quantity.ts';
import { validateMetadata } from './validate.ts';

const MOST_BYTES = 1024 * 1024;
/** What a Secret of such a type must have. */
const WANTED: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
};

export function validateConfigMap({ metadata = {}, data = {}, binaryData = {} }: ConfigMap, report: Report): void {
  validateMetadata(metadata, report);
  for (const key of Object.keys(data)) {
    checkKey('data', key, report);
    if (!Object.hasOwn(binaryData, key)) continue;
    complain(report, ['data', { key }], key, ['duplicate of key present in binaryData']);
  }
  const texts = Object.values(data).map((text) => Buffer.byteLength(text));
  checkSize([...texts, ...bytesOf('binaryData', binaryData, report)], report);
}

export function validateSecret(secret: Secret, report: Report): void {
  const { metadata = {}, data = {}, stringData = {}, type = '' } = secret;
  validateMetadata(metadata, report);
  for (const key of Object.keys(stringData)) checkKey('stringData', key, report);
  const texts = Object.values(stringData).map((text) => Buffer.byteLength(text));
  checkSize([...texts, ...bytesOf('data', data, report)], report);
  const has = (key: string): boolean => Object.hasOwn(data, key) || Object.hasOwn(stringData, key);
  const missing = (key: string): void => {
    if (!has(key)) report.problem(['data', { key }], 'Required value');
  };
  for (const key of WANTED[type] ?? []) missing(key);
  if (type === 'kubernetes.io/tls') for (const key of ['tls.crt', 'tls.key']) missing(key);
  if (type === 'kubernetes.io/basic-auth' && !has('username')) missing('password');
}

const ACCESS_MODES = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];

export function validateClaim({ metadata = {}, spec = {} }: PersistentVolumeClaim, report: Report): void {
  validateMetadata(metadata, report);
  const { accessModes = [], resources, storageClassName = '' } = spec;
  const at = ['spec', 'accessModes'];
  if (accessModes.length === 0) report.problem(at, 'Required value: at least 1 access mode is required');
  for (const mode of accessModes) {
    if (ACCESS_MODES.includes(mode)) continue;
    const listed = ACCESS_MODES.map((one) => JSON.stringify(one)).join(', ');
    report.problem(at, `Unsupported value: ${JSON.stringify(mode)}: supported values: ${listed}`);
  }
  if (accessModes.length > 1 && accessModes.includes('ReadWriteOncePod')) {
    report.problem(at, 'Forbidden: may not use ReadWriteOncePod with other access modes');
  }
  const storage = resources?.requests?.['storage'];
  const size = ['spec', 'resources', { key: 'storage' }];
  if (storage === undefined) report.problem(size, 'Required value');
  else if (nanos(storage) <= 0n) complain(report, size, storage, ['must be greater than zero']);
  if (storageClassName === '') return;
  complain(report, ['spec', 'storageClassName'], storageClassName, names.subdomainComplaints(storageClassName));
}

function checkKey(field: string, key: string, report: Report): void {
  complain(report, [field, { key }], key, names.configKeyComplaints(key));
}

/** The sizes of base64 values, each of which must be one. */
function bytesOf(field: string, data: Readonly<Record<string, string>>, report: Report): readonly number[] {
  return Object.entries(data).map(([key, text]) => {
    checkKey(field, key, report);
    const bytes = Buffer.from(text, 'base64');
    const plain = text.replaceAll(/[\r\n]/g, '');
    if (bytes.toString('base64') !== plain) report.problem([field, { key }], 'Invalid value: must be base64');
    return bytes.length;
  });
}

function checkSize(sizes: readonly number[], report: Report): void {
  if (sizes.reduce((sum, size) => sum + size, 0) <= MOST_BYTES) return;
  report.problem(['data'], `Too long: may not be more than ${MOST_BYTES} bytes`);
}
