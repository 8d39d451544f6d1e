import type { Check } from './checks.ts';

const NODE_FLOOR = [20, 19] as const;

/** Whether this Node is one that minirt's code can run on; `version` is without its `v`. */
export function checkNode(version: string = process.versions.node): Omit<Check, 'name'> {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const ok = major > NODE_FLOOR[0] || (major === NODE_FLOOR[0] && minor >= NODE_FLOOR[1]);
  const finding = { ok, detail: `v${version}` };
  return ok ? finding : { ...finding, hint: `install Node ${NODE_FLOOR.join('.')} or newer` };
}
