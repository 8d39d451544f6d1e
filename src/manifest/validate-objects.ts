/** Kubernetes' rules for ConfigMaps and Secrets (pkg/apis/core/validation: ValidateConfigMap, ValidateSecret). */
import { Buffer } from 'node:buffer';
import type { ConfigMap, Secret } from 'kubernetes-types/core/v1.js';
import * as names from './names.ts';
import { type Report, complain } from './problem.ts';
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
