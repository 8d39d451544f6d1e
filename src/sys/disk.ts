import { existsSync } from 'node:fs';
import { MinirtError } from '../base/errors.ts';
import { runCommand } from './command.ts';

/**
 * Bytes on disk that a folder of one file system takes, by du(1): it neither follows links nor is led astray by who moves
 * folders meanwhile. 0 for what is not there.
 */
export async function bytesOnDisk(folder: string, signal: AbortSignal): Promise<number> {
  if (!existsSync(folder)) return 0;
  const { stdout, stderr } = await runCommand('du', ['--summarize', '--one-file-system', '--block-size=1', folder], {
    signal,
  });
  const bytes = Number.parseInt(stdout, 10);
  if (!Number.isNaN(bytes)) return bytes;
  if (!existsSync(folder)) return 0;
  throw new MinirtError('io', `measure ${folder}: ${stderr.trim()}`);
}
