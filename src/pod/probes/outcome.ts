import type { ProbeOutcome } from '../journal-entry.ts';

/** One try of a probe. */
export interface Tried {
  readonly outcome: ProbeOutcome;
  readonly exitCode: number | undefined;
  /** The text that the kubelet's event repeats. */
  readonly output: string;
}

/** What a probe may be told of its surroundings. */
export interface ProbeSurroundings {
  /** The pod's address; undefined: it has none. */
  readonly podIp: string | undefined;
  readonly ports: readonly { readonly name: string | undefined; readonly containerPort: number }[];
  readonly timeoutSeconds: number;
  /** Aborted when the time is over, or nobody waits any more. */
  readonly signal: AbortSignal;
}

/** More of what a probe printed or was answered is not kept (pkg/probe/exec, pkg/probe/http: 10 KiB). */
export const PROBE_OUTPUT_BYTES = 10 * 1024;

export function success(output = ''): Tried {
  return { outcome: 'success', exitCode: undefined, output };
}

export function failure(output: string): Tried {
  return { outcome: 'failure', exitCode: undefined, output };
}

/** It could not be carried out. */
export function errored(output: string): Tried {
  return { outcome: 'error', exitCode: undefined, output };
}

/** `10.1.2.3:80`, `[fd00::1]:80`. */
export function joined({ host, port }: { readonly host: string; readonly port: number }): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
