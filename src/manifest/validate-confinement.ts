/** Kubernetes' rules for what confines a container (pkg/apis/core/validation). */
import type { AppArmorProfile, PodSpec, SeccompProfile } from 'kubernetes-types/core/v1.js';
import type { Path } from './node.ts';
import { type Report, complain } from './problem.ts';
import { normaliseSysctl, sysctlComplaints, sysctlNamespace } from './sysctl.ts';
import { notDescending } from './validate-content.ts';

/** validateSeccompProfileField */
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

/** Of a profile's name (maxLocalhostProfileLength). */
const LONGEST_PROFILE = 4095;

/** validateAppArmorProfileField */
export function validateAppArmor(profile: Partial<AppArmorProfile> | undefined, path: Path, report: Report): void {
  if (profile === undefined) return;
  const { type = '', localhostProfile: name } = profile;
  if (type === '') {
    report.problem([...path, 'type'], 'Required value: type is required when appArmorProfile is set');
  }
  const at = [...path, 'localhostProfile'];
  if (type !== 'Localhost') {
    if (name !== undefined) complain(report, at, name, ['may only be set when AppArmor type is Localhost']);
  } else if (name === undefined || name.trim() === '') {
    report.problem(at, 'Required value: must be set when AppArmor type is Localhost');
  } else if (name !== name.trim()) {
    complain(report, at, name, ['must not be padded with whitespace']);
  } else if (name.length > LONGEST_PROFILE) {
    report.problem(at, `Too long: may not be more than ${LONGEST_PROFILE} bytes`);
  } else if (/[\n\0]/.test(name)) complain(report, at, name, ['must be the name of a profile']);
}

/** validateSysctls, and validateHostSysctl's rules for namespaces that are not the pod's. */
export function validateSysctls(
  { securityContext, hostNetwork, hostIPC }: Pick<PodSpec, 'securityContext' | 'hostNetwork' | 'hostIPC'>,
  path: Path,
  report: Report,
): void {
  const seen = new Set<string>();
  const sysctls: readonly { readonly name?: string; readonly value?: string }[] = securityContext?.sysctls ?? [];
  sysctls.forEach(({ name = '', value = '' }, i) => {
    const at = [...path, i, 'name'];
    if (name === '') return report.problem(at, 'Required value');
    complain(report, at, name, sysctlComplaints(name));
    if (seen.has(name)) report.problem(at, `Duplicate value: ${JSON.stringify(name)}`);
    seen.add(name);
    const namespace = sysctlNamespace(normaliseSysctl(name));
    if (namespace === 'net' && hostNetwork === true) {
      complain(report, at, name, ["may not be set when 'hostNetwork' is set to true"]);
    }
    if (namespace === 'ipc' && hostIPC === true) {
      complain(report, at, name, ["may not be set when 'hostIPC' is set to true"]);
    }
    // The kernel takes the first line and more than one write (CVE-2022-0811).
    if (/[\n\0]/.test(value)) complain(report, [...path, i, 'value'], value, ['must be one line']);
  });
}
