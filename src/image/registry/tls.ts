import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { isErrno } from '../../base/errors.ts';

/** Where the host keeps whom it trusts: Debian, Fedora, Alpine. */
const BUNDLES = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt', '/etc/ssl/cert.pem'];
/** Folders with a folder for each registry, as Docker's and Podman's documentation say. */
export const CERTIFICATE_FOLDERS: readonly string[] = ['/etc/docker/certs.d', '/etc/containers/certs.d'];

export interface TlsFiles {
  readonly ca: readonly string[];
  readonly cert: readonly string[];
  readonly key: readonly string[];
}

/**
 * Whom to trust for a registry, and as whom to come: the host's bundle, and `*.crt`, `*.cert` and `*.key` in the folder of the
 * registry's name.
 */
export async function tlsFiles(host: string, folders: readonly string[]): Promise<TlsFiles> {
  const own = await Promise.all(folders.map((folder) => pemsIn(join(folder, host))));
  const of = (ending: string): readonly string[] =>
    own.flat().flatMap(({ name, text }) => (name.endsWith(ending) ? [text] : []));
  return { ca: [...(await trusted()), ...of('.crt')], cert: of('.cert'), key: of('.key') };
}

async function trusted(): Promise<readonly string[]> {
  for (const path of BUNDLES) {
    const text = await readFile(path, 'utf8').catch(() => undefined);
    if (text !== undefined) return [text];
  }
  return rootCertificates;
}

async function pemsIn(folder: string): Promise<readonly { readonly name: string; readonly text: string }[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return [];
    throw error;
  });
  const wanted = names.filter((name) => /\.(crt|cert|key)$/.test(name)).toSorted();
  return Promise.all(wanted.map(async (name) => ({ name, text: await readFile(join(folder, name), 'utf8') })));
}
