import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MinirtError, isErrno, messageOf } from '../../base/errors.ts';
import { compiledFilter, hostArchitecture, subjectHere } from './compile.ts';
import { defaultProfile } from './default.ts';
import { parseProfile } from './parse.ts';
import type { Profile } from './profile.ts';

/** Which calls of the kernel a process may make: minirt's own table, all of them, or those of a profile. */
export type SeccompChoice =
  | { readonly kind: 'runtimeDefault' }
  | { readonly kind: 'unconfined' }
  | {
      readonly kind: 'localhost';
      /** Relative to the folder of profiles. */
      readonly file: string;
    };

export interface SeccompFolders {
  /** Where the profiles of the host's administrator are. */
  readonly profiles: string;
  /** Where compiled filters are kept. */
  readonly filters: string;
}

/**
 * The file with the filter for a process of these capabilities; undefined when there is to be none.
 * @throws MinirtError host.unsupported for a profile that is missing or wrong; helper.failed
 */
export async function seccompFilter(
  wanted: SeccompChoice,
  capabilities: readonly string[],
  { profiles, filters }: SeccompFolders,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (wanted.kind === 'unconfined') return undefined;
  const host = hostArchitecture();
  const profile =
    wanted.kind === 'runtimeDefault'
      ? defaultProfile(host.go)
      : await readProfile(join(profiles, wanted.file), host.libseccomp);
  return compiledFilter(filters, profile, subjectHere(capabilities), signal);
}

/** A profile of the administrator's; what is wrong with it is said in containerd's words, as far as it has any. */
async function readProfile(file: string, host: string): Promise<Profile> {
  let text;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const why = isErrno(error, 'ENOENT') ? 'no such file or directory' : messageOf(error);
    throw new MinirtError('host.unsupported', `cannot load seccomp profile "${file}": open ${file}: ${why}`, {
      cause: error,
      details: { file },
    });
  }
  return parseProfile(file, text, host);
}
