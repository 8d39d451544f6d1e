import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { runRole } from './process.ts';

export interface Reaper {
  /** Keeps its pid namespace; made when it is not there. */
  readonly file: string;
  /** Existing cgroups that it is to be in: it ends with them, and by nothing else. */
  readonly cgroups: readonly string[];
}

/**
 * Starts PID 1 of a new pid namespace, which adopts and reaps what containers in it leave behind. It outlives this process.
 * @throws MinirtError helper.failed
 */
export async function startReaper({ file, cgroups }: Reaper, signal: AbortSignal): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await (await open(file, 'a', 0o600)).close();
  await runRole('reap', { args: [file, ...cgroups], signal });
}
