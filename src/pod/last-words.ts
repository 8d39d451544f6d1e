import { LineSplitter, parseCriLine } from '../base/cri.ts';

/** Only the end of a termination message is kept (pkg/kubelet: MaxContainerTerminationMessageLength). */
export const MESSAGE_BYTES = 4096;
/** Of a log that stands in for it (MaxContainerTerminationMessageLogLength, …LogLines). */
const LOG_BYTES = 2048;
const LOG_LINES = 80;
/** Of all containers of a pod together. */
const POD_BYTES = 12 * 1024;

/** The most that one container of so many may say. */
export function messageLimit(containers: number): number {
  return Math.min(MESSAGE_BYTES, Math.floor(POD_BYTES / Math.max(1, containers)));
}

/** The end of what a container printed, from its CRI log: its last 80 lines, and of these the last 2048 bytes. */
export function logTail(log: Buffer): string {
  const printed = new LineSplitter().push(log).flatMap((line) => {
    const entry = parseCriLine(line);
    return entry === undefined
      ? []
      : [entry.partial ? entry.content : Buffer.concat([entry.content, Buffer.from('\n')])];
  });
  const lines = Buffer.concat(printed)
    .toString('utf8')
    .split(/(?<=\n)/);
  const last = Buffer.from(lines.slice(-LOG_LINES).join(''), 'utf8');
  return last.subarray(Math.max(0, last.length - LOG_BYTES)).toString('utf8');
}
