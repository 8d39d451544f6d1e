/** Kubernetes' rules for what confines a container (pkg/apis/core/validation: validateSeccompProfileField). */
import type { SeccompProfile } from 'kubernetes-types/core/v1.js';
import type { Path } from './node.ts';
import { type Report, complain } from './problem.ts';
import { notDescending } from './validate-content.ts';

export function validateSeccomp(profile: Partial<SeccompProfile> | undefined, path: Path, report: Report): void {
  if (profile === undefined) return;
  const { type = '', localhostProfile: file } = profile;
  if (type === '') report.problem([...path, 'type'], 'Required value: type is required when seccompProfile is set');
  const at = [...path, 'localhostProfile'];
  if (type !== 'Localhost') {
    if (file !== undefined) complain(report, at, file, ['can only be set when seccomp type is Localhost']);
  } else if (file === undefined) report.problem(at, 'Required value: must be set when seccomp type is Localhost');
  else complain(report, at, file, notDescending(file));
}
