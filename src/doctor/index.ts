import { hasAppArmor } from '../container/apparmor.ts';
import { isMinirtError, messageOf } from '../base/errors.ts';
import { helperPath } from '../helper/locate.ts';
import { encodePlan } from '../helper/plan.ts';
import { runRole } from '../helper/process.ts';
import type { Roots } from '../state/paths.ts';
import {
  checkAttachments,
  checkBulk,
  checkCgroups,
  checkDevices,
  checkFolder,
  checkKernel,
  checkUserNamespaces,
  checkOverlay,
  checkPlugins,
  checkProgram,
  checkRoot,
} from './checks.ts';
import type { Check } from './checks.ts';
import { findLeaks } from './leaks.ts';
import type { Leak } from './leaks.ts';
import { checkNode } from './node.ts';

export type { Check } from './checks.ts';
export { fixLeaks } from './leaks.ts';
export type { Leak } from './leaks.ts';

export interface Diagnosis {
  readonly checks: readonly Check[];
  readonly leaks: readonly Leak[];
}

/** What `minirt doctor` says: whether the host has all that is needed, and what was left behind. Changes nothing. */
export async function diagnose(roots: Roots): Promise<Diagnosis> {
  const table: readonly (readonly [string, () => Omit<Check, 'name'> | Promise<Omit<Check, 'name'>>])[] = [
    ['root', checkRoot],
    ['node', () => checkNode()],
    ['kernel', () => checkKernel()],
    ['overlayfs', checkOverlay],
    ['user namespaces', () => checkUserNamespaces()],
    ['AppArmor', checkAppArmor],
    ['cgroups', checkCgroups],
    ['devices', checkDevices],
    ['CNI plugins', checkPlugins],
    ['iproute2', () => checkProgram('ip', ['-V'], 'apt install iproute2')],
    ['iptables', () => checkProgram('iptables', ['--version'], 'apt install iptables')],
    ['attached pods', () => checkAttachments(roots)],
    ['helper', checkHelper],
    ['state folder', () => checkFolder(roots.state, '--state')],
    ['root folder', () => checkBulk(roots)],
    ['log folder', () => checkFolder(roots.logs, '--log-dir')],
  ];
  const checks: Check[] = [];
  for (const [name, check] of table) {
    try {
      checks.push({ name, ...(await check()) });
    } catch (error) {
      const hint = isMinirtError(error) ? error.hint : undefined;
      checks.push({ name, ok: false, detail: messageOf(error), ...(hint === undefined ? {} : { hint }) });
    }
  }
  return { checks, leaks: await findLeaks(roots) };
}

function checkAppArmor(): Omit<Check, 'name'> {
  return { ok: true, detail: hasAppArmor() ? 'confines containers' : 'not here; a pod that insists on it is rejected' };
}

/** Has it make namespaces, which end with it: that shows that it runs, and may do what minirt needs. */
async function checkHelper(): Promise<Omit<Check, 'name'>> {
  await runRole('sandbox', { plan: encodePlan([]) });
  return { ok: true, detail: helperPath() };
}
