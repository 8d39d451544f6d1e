import { constants } from 'node:os';
import { type ErrorCode, isMinirtError } from '../base/errors.ts';
import { Interrupted } from './io.ts';

export const EXIT = { ok: 0, failed: 1, usage: 2, timeout: 124, minirt: 125, killed: 137 } as const;

const statusOf: Readonly<Record<ErrorCode, number>> = {
  usage: EXIT.usage,
  'manifest.invalid': EXIT.usage,
  'manifest.unsupported': EXIT.usage,
  'reference.invalid': EXIT.usage,
  'pod.not-found': EXIT.failed,
  'pod.exists': EXIT.failed,
  'pod.not-running': EXIT.failed,
  'config.missing': EXIT.failed,
  'config.refused': EXIT.failed,
  'object.not-found': EXIT.failed,
  'object.exists': EXIT.failed,
  'container.not-found': EXIT.failed,
  'container.waiting': EXIT.failed,
  'image.not-found': EXIT.failed,
  'image.invalid': EXIT.failed,
  'image.unsupported': EXIT.failed,
  'image.digest-mismatch': EXIT.failed,
  'image.too-large': EXIT.failed,
  'image.in-use': EXIT.failed,
  'registry.config': EXIT.failed,
  'registry.refused': EXIT.failed,
  'registry.unreachable': EXIT.failed,
  'network.failed': EXIT.failed,
  'hook.failed': EXIT.failed,
  'volume.failed': EXIT.failed,
  'state.busy': EXIT.failed,
  'deadline.exceeded': EXIT.timeout,
  aborted: EXIT.failed,
  io: EXIT.failed,
  'network.no-plugin': EXIT.minirt,
  'host.not-root': EXIT.minirt,
  'host.no-overlay': EXIT.minirt,
  'host.no-cgroup': EXIT.minirt,
  'host.no-controller': EXIT.minirt,
  'host.unsupported': EXIT.minirt,
  'helper.failed': EXIT.minirt,
  'helper.missing': EXIT.minirt,
  'state.corrupt': EXIT.minirt,
  'state.path-too-long': EXIT.minirt,
  'supervisor.unreachable': EXIT.minirt,
  internal: EXIT.minirt,
};

/**
 * Exit status of a failed verb, by the table of docs/cli: 1 the operation failed, 2 wrong usage or manifest, 125 minirt
 * itself failed. `exec` owns all other numbers, so every failure of minirt's own is 125 there.
 */
export function exitCodeOf(error: unknown, verb: string | undefined): number {
  if (error instanceof Interrupted) return 128 + constants.signals[error.signal];
  if (verb === 'exec') return EXIT.minirt;
  return isMinirtError(error) ? statusOf[error.code] : EXIT.minirt;
}
