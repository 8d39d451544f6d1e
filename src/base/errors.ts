/**
 * The one error class of minirt. Every failure carries a stable code, says what failed on what and why
 * (`verb object: subject: cause`), and may say what to do.
 */
export type ErrorCode =
  | 'usage'
  | 'manifest.invalid'
  | 'manifest.unsupported'
  | 'pod.not-found'
  | 'pod.exists'
  | 'pod.not-running'
  | 'config.missing'
  | 'config.refused'
  | 'object.not-found'
  | 'object.exists'
  | 'container.not-found'
  | 'container.waiting'
  | 'image.not-found'
  | 'image.invalid'
  | 'image.unsupported'
  | 'image.digest-mismatch'
  | 'image.too-large'
  | 'image.in-use'
  | 'reference.invalid'
  | 'registry.config'
  | 'registry.refused'
  | 'registry.unreachable'
  | 'network.failed'
  | 'network.no-plugin'
  | 'host.not-root'
  | 'host.no-overlay'
  | 'host.no-cgroup'
  | 'host.no-controller'
  | 'host.unsupported'
  | 'helper.failed'
  | 'helper.missing'
  | 'hook.failed'
  | 'volume.failed'
  | 'state.busy'
  | 'state.corrupt'
  | 'state.path-too-long'
  | 'supervisor.unreachable'
  | 'deadline.exceeded'
  | 'aborted'
  | 'io'
  | 'internal';

export interface ErrorOptions {
  readonly cause?: unknown;
  /** What the user can do about it: one imperative sentence or a command line. */
  readonly hint?: string;
  /** Structured facts for `-o json` and for callers; never parsed out of the message. */
  readonly details?: Readonly<Record<string, unknown>>;
}

export class MinirtError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'MinirtError';
    this.code = code;
    this.hint = options.hint;
    this.details = options.details ?? {};
  }
}

export function isMinirtError(error: unknown, code?: ErrorCode): error is MinirtError {
  return error instanceof MinirtError && (code === undefined || error.code === code);
}

/** Whether `error` is a Node system error with this errno name (`ENOENT`, `EEXIST`, …). */
export function isErrno(error: unknown, name: string): error is NodeJS.ErrnoException {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === name;
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
