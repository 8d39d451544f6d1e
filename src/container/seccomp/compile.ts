import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { arch } from 'node:os';
import { join } from 'node:path';
import { isErrno } from '../../base/errors.ts';
import { encodeWords } from '../../helper/plan.ts';
import { runRole } from '../../helper/process.ts';
import { kernelVersion } from '../../sys/host.ts';
import { filterWords, type Profile, type Subject } from './profile.ts';

/** Node's names of architectures, and those of Go and of libseccomp. */
const names: Readonly<Record<string, { readonly go: string; readonly libseccomp: string }>> = {
  x64: { go: 'amd64', libseccomp: 'x86_64' },
  arm64: { go: 'arm64', libseccomp: 'aarch64' },
};

/** What this host is called in profiles. */
export function hostArchitecture(): { readonly go: string; readonly libseccomp: string } {
  return names[arch()] ?? { go: arch(), libseccomp: arch() };
}

/** The subject of a profile on this host. */
export function subjectHere(capabilities: readonly string[]): Subject {
  return { capabilities, arch: hostArchitecture().go, kernel: kernelVersion() };
}

/**
 * The file with a profile's filter for a subject. It is made once and then found by the digest of its words, so starting a
 * container costs no compilation.
 * @throws MinirtError helper.failed, stage seccomp, for a profile that makes no filter
 */
export async function compiledFilter(
  dir: string,
  profile: Profile,
  subject: Subject,
  signal: AbortSignal,
): Promise<string> {
  const words = encodeWords(filterWords(profile, subject));
  const path = join(dir, `${createHash('sha256').update(words).digest('hex')}.bpf`);
  if (await isThere(path)) return path;
  const { stdout } = await runRole('compile-seccomp', { plan: words, signal });
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomBytes(4).toString('hex')}`;
  try {
    await using file = await open(draft, 'wx', 0o600);
    await file.writeFile(stdout);
    // A file that a crash cut short would be taken for the filter.
    await file.sync();
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  return path;
}

async function isThere(path: string): Promise<boolean> {
  try {
    return (await stat(path)).size > 0;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    throw error;
  }
}
