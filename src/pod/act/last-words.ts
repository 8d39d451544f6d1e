import { open } from 'node:fs/promises';
import { MinirtError, messageOf } from '../../base/errors.ts';
import { containerLog } from '../../state/paths.ts';
import { FILE_BYTES, LOG_BYTES, asksForLog, logTail, messageText } from '../last-words.ts';
import type { PodHostPorts } from './host.ts';
import type { LiveOptions } from './live.ts';

/** What the container left in its file; else, when it failed and its manifest says so, the end of its log. */
export async function lastWords(
  ports: PodHostPorts,
  { engine: { pod, record }, name }: Pick<LiveOptions, 'engine' | 'name'>,
  file: string,
  exitCode: number,
): Promise<string | undefined> {
  let said = await endOf(file, FILE_BYTES);
  const container = pod.containers.find((one) => one.name === name);
  if (container !== undefined && asksForLog(container, exitCode, said)) {
    const restart = record.containers.find((one) => one.name === name)?.restartCount ?? 0;
    const identity = { namespace: pod.namespace, name: pod.name, uid: record.uid };
    said = logTail(await endOf(containerLog(ports.roots, identity, { name, restart }), LOG_BYTES));
  }
  return messageText(said, pod.containers.length);
}

/** The end of a file, at most so many bytes. */
async function endOf(path: string, limit: number): Promise<Buffer> {
  try {
    await using file = await open(path, 'r');
    const { size } = await file.stat();
    const buffer = Buffer.alloc(Math.min(size, limit));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, Math.max(0, size - limit));
    return buffer.subarray(0, bytesRead);
  } catch (error) {
    throw new MinirtError('io', `read termination message: ${path}: ${messageOf(error)}`, { cause: error });
  }
}
