/** Kubernetes' rules for users, groups and privileges (pkg/apis/core/validation: ValidateSecurityContext and its like). */
import type { PodSecurityContext, PodSpec, SecurityContext } from 'kubernetes-types/core/v1.js';
import { capabilityNames, normaliseCapability } from '../base/capability-names.ts';
import { nearest } from '../base/nearest.ts';
import type { Path } from './node.ts';
import { type Report, complain } from './problem.ts';
import { validateAppArmor, validateSeccomp, validateSysctls } from './validate-confinement.ts';

const LARGEST_ID = 2 ** 31 - 1;
const IDS = `must be between 0 and ${LARGEST_ID}, inclusive`;

export function validatePodSecurity(spec: PodSpec, path: Path, report: Report): void {
  const { securityContext: context = {}, hostPID, shareProcessNamespace } = spec;
  if (hostPID === true && shareProcessNamespace === true) {
    const why = 'ShareProcessNamespace and HostPID cannot both be enabled';
    complain(report, [...path, 'shareProcessNamespace'], true, [why]);
  }
  validateHostUsers(spec, path, report);
  const at = [...path, 'securityContext'];
  validateIds(context, ['runAsUser', 'runAsGroup', 'fsGroup'], at, report);
  validateSeccomp(context.seccompProfile, [...at, 'seccompProfile'], report);
  validateAppArmor(context.appArmorProfile, [...at, 'appArmorProfile'], report);
  validateSysctls(spec, [...at, 'sysctls'], report);
  context.supplementalGroups?.forEach((id, i) => {
    checkId(id, [...at, 'supplementalGroups', i], report);
  });
}

/** Whoever is somebody else on the host has no business with what is the host's (validateHostUsers). */
function validateHostUsers(spec: PodSpec, path: Path, report: Report): void {
  if (spec.hostUsers !== false) return;
  for (const field of ['hostNetwork', 'hostPID', 'hostIPC'] as const) {
    if (spec[field] === true) report.problem([...path, field], 'Forbidden: when `hostUsers` is false');
  }
}

export function validateSecurity(
  context: SecurityContext | undefined,
  { ownUsers }: { readonly ownUsers: boolean },
  path: Path,
  report: Report,
): void {
  if (context === undefined) return;
  if (context.procMount === 'Unmasked' && !ownUsers) {
    complain(report, [...path, 'procMount'], 'Unmasked', ['`hostUsers` must be false to use `Unmasked`']);
  }
  validateIds(context, ['runAsUser', 'runAsGroup'], path, report);
  validateSeccomp(context.seccompProfile, [...path, 'seccompProfile'], report);
  validateAppArmor(context.appArmorProfile, [...path, 'appArmorProfile'], report);
  const { add = [], drop = [] } = context.capabilities ?? {};
  for (const [list, names] of Object.entries({ add, drop })) {
    names.forEach((name, i) => {
      checkCapability(name, [...path, 'capabilities', list, i], report);
    });
  }
  if (context.allowPrivilegeEscalation !== false) return;
  if (context.privileged === true) {
    complain(report, path, '', ['cannot set `allowPrivilegeEscalation` to false and `privileged` to true']);
  }
  // Kubernetes looks for this spelling only, and takes what manifests of clusters say as SYS_ADMIN.
  if (add.includes('CAP_SYS_ADMIN')) {
    const why = 'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN';
    complain(report, path, '', [why]);
  }
}

function validateIds<Name extends keyof PodSecurityContext>(
  context: { readonly [name in Name]?: number },
  names: readonly Name[],
  path: Path,
  report: Report,
): void {
  for (const name of names) {
    const id = context[name];
    if (id !== undefined) checkId(id, [...path, name], report);
  }
}

function checkId(id: number, path: Path, report: Report): void {
  if (id < 0 || id > LARGEST_ID) complain(report, path, id, [IDS]);
}

/** Kubernetes takes any word, and the runtime drops those it does not know: a container less confined than it was meant. */
function checkCapability(name: string, path: Path, report: Report): void {
  const known = normaliseCapability(name);
  if (known === 'ALL' || capabilityNames.includes(known)) return;
  const meant = nearest(known, capabilityNames);
  complain(report, path, name, [`not a capability of Linux${meant === undefined ? '' : `; did you mean "${meant}"?`}`]);
}
