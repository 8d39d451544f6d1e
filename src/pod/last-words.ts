import { LineSplitter, parseCriLine } from '../base/cri.ts';
import type { Container } from '../manifest/pod.ts';

/** The end of a container's message file that is read (pkg/kubelet/container: MaxContainerTerminationMessageLength). */
export const FILE_BYTES = 4096;
/** The end of a log that is looked at: more than 2048 bytes of output, or 80 lines, wherever a line begins. */
export const LOG_BYTES = 64 * 1024;

/** Of the log as a message (MaxContainerTerminationMessageLogLength, …LogLines). */
const MOST_LOG_BYTES = 2048;
const MOST_LOG_LINES = 80;
/** Of all messages of a pod (MaxPodTerminationMessageLogLength). */
const POD_BYTES = 12 * 1024;

/** Whether the log stands in for a message: the container failed without one, and its manifest asks for that. */
export function asksForLog(
  { terminationMessagePolicy }: Pick<Container, 'terminationMessagePolicy'>,
  exitCode: number,
  file: Buffer,
): boolean {
  return terminationMessagePolicy === 'FallbackToLogsOnError' && exitCode !== 0 && file.length === 0;
}

/**
 * What a container printed last, from the end of its CRI log: 80 entries at most, and of these the last 2048 bytes.
 * A line that was logged in several entries counts as several, as for the kubelet.
 */
export function logTail(end: Buffer): Buffer {
  const printed = new LineSplitter()
    .push(end)
    .slice(-MOST_LOG_LINES)
    .map(parseCriLine)
    // The first line is cut when it begins before `end`.
    .flatMap((entry) => (entry === undefined ? [] : [entry.content, Buffer.from(entry.partial ? '' : '\n')]));
  return Buffer.concat(printed).subarray(-MOST_LOG_BYTES);
}

/** The message as the status shows it: each of `containers` has the same share, from the front (normalizeStatus). */
export function messageText(said: Buffer, containers: number): string | undefined {
  const share = Math.floor(POD_BYTES / Math.max(1, containers));
  return said.length === 0 ? undefined : said.toString('utf8', 0, share);
}
