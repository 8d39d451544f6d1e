import { setTimeout as sleep } from 'node:timers/promises';
import { abortReason } from '../../base/clock.ts';

/** How patient a client is with a registry. Milliseconds. */
export interface Patience {
  /** Tries of one request, the first included. */
  readonly tries: number;
  /** Before the second try; twice as long each time. */
  readonly first: number;
  /** Longest wait, also when the registry itself names one. */
  readonly longest: number;
  /** Without a byte from the registry. */
  readonly stall: number;
}

export const PATIENCE: Patience = { tries: 5, first: 500, longest: 30_000, stall: 60_000 };

/** Answers that another try may change. */
const TRANSIENT: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);
const CODES: ReadonlySet<string> = new Set([
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'UND_ERR_SOCKET',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
]);

export function isTransientStatus(status: number): boolean {
  return TRANSIENT.has(status);
}

/** Whether a connection broke in a way that another try may not meet; a refused one is told at once. */
export function isTransientError(error: unknown): boolean {
  const code = (error as { code?: unknown } | undefined)?.code;
  if (typeof code === 'string') return CODES.has(code) || code.startsWith('HPE_');
  return error instanceof TypeError && error.message === 'terminated';
}

/** How long the registry asks to wait (RFC 9110, 10.2.3): seconds or a date. Undefined when it says nothing. */
export function retryAfter(header: string | readonly string[] | undefined, now: Date): number | undefined {
  const text = typeof header === 'string' ? header.trim() : header?.[0]?.trim();
  if (text === undefined || text === '') return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now.getTime());
}

/** Wait before the next try after `failures` of them: doubled each time, and between half and all of it. `random` in [0, 1). */
export function backOff({ first, longest }: Patience, failures: number, random: number): number {
  const whole = Math.min(first * 2 ** (failures - 1), longest);
  return whole / 2 + (whole / 2) * random;
}

export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
  if (signal.aborted) throw abortReason(signal);
}
