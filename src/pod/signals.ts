import { constants } from 'node:os';
import { MinirtError } from '../base/errors.ts';

/** As the C library counts, and with it every image and manifest: the kernel's first two belong to its threads. */
const RTMIN = 34;
const RTMAX = 64;

/** Node does not know the old name of SIGCHLD. */
const numbers: Readonly<Record<string, number>> = { ...constants.signals, SIGCLD: constants.signals.SIGCHLD };

/** Number of a signal as images and manifests write it: `SIGQUIT`, `QUIT`, `3`, `SIGRTMIN+2`; undefined: SIGTERM. */
export function signalNumber(name: string | undefined): number {
  if (name === undefined || name === '') return constants.signals.SIGTERM;
  if (/^\d+$/.test(name)) return inRange(Number(name), 1, name);
  const upper = name.toUpperCase();
  const full = upper.startsWith('SIG') ? upper : `SIG${upper}`;
  const realtime = /^SIGRT(?:MIN(\+\d+)?|MAX(-\d+)?)$/.exec(full);
  if (realtime === null) return inRange(Object.hasOwn(numbers, full) ? (numbers[full] ?? 0) : 0, 1, name);
  const first = full.startsWith('SIGRTMIN') ? RTMIN : RTMAX;
  return inRange(first + Number(realtime[1] ?? realtime[2] ?? 0), RTMIN, name);
}

/** `SIGTERM` for 15; a number without a name stays a number. */
export function signalName(signal: number): string {
  const entry = Object.entries(constants.signals).find(([, value]) => value === signal);
  return entry?.[0] ?? String(signal);
}

function inRange(signal: number, lowest: number, name: string): number {
  if (signal >= lowest && signal <= RTMAX) return signal;
  throw new MinirtError('image.invalid', `stop signal: ${name}: there is no such signal`);
}
