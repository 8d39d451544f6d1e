import { constants } from 'node:os';
import { MinirtError } from '../base/errors.ts';

const RTMIN = 34;
const RTMAX = 64;

/** Number of a signal as images and manifests write it: `SIGQUIT`, `QUIT`, `3`, `SIGRTMIN+2`; undefined: SIGTERM. */
export function signalNumber(name: string | undefined): number {
  if (name === undefined || name === '') return constants.signals.SIGTERM;
  if (/^\d+$/.test(name)) return inRange(Number(name), name);
  const upper = name.toUpperCase();
  const full = upper.startsWith('SIG') ? upper : `SIG${upper}`;
  const realtime = /^SIGRT(MIN|MAX)([+-]\d+)?$/.exec(full);
  if (realtime !== null) return inRange((realtime[1] === 'MIN' ? RTMIN : RTMAX) + Number(realtime[2] ?? 0), name);
  const known: Readonly<Record<string, number>> = constants.signals;
  return inRange(known[full] ?? 0, name);
}

/** `SIGTERM` for 15; a number without a name stays a number. */
export function signalName(signal: number): string {
  const entry = Object.entries(constants.signals).find(([, value]) => value === signal);
  return entry?.[0] ?? String(signal);
}

function inRange(signal: number, name: string): number {
  if (signal >= 1 && signal <= RTMAX) return signal;
  throw new MinirtError('image.invalid', `stop signal: ${name}: there is no such signal`);
}
