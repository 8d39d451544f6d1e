import { MinirtError } from '../base/errors.ts';
import { checkNode } from '../doctor/node.ts';

/** Verbs that need nothing of a newer Node; `doctor` tells what else is missing. */
const onAnyNode: ReadonlySet<string> = new Set(['version', 'doctor']);

/** Refuses a Node that lacks what minirt uses, before a pod is registered that it then could not run. */
export function requireNode(verb: string, version: string = process.versions.node): void {
  const { ok, detail, hint = '' } = checkNode(version);
  if (ok || onAnyNode.has(verb)) return;
  throw new MinirtError('host.unsupported', `run minirt ${verb}: Node ${detail} is too old`, {
    hint: `${hint}; a newer one of your own (nvm) is found with: sudo env "PATH=$PATH" minirt ${verb} …`,
  });
}
