import type { HookName } from '../../../src/pod/record.ts';
import type { Story } from './index.ts';
import type { Life } from './lives.ts';

/** A hook that was begun ends, and runs once in an instance; another owner may begin it again. */
export function hookLaws({ lives, ownersDied }: Story): string[] {
  return lives.flatMap((life) => [
    ...hookOf(life, 'postStart', ownersDied),
    ...hookOf(life, 'preStop', ownersDied),
    ...(ownersDied ? [] : leftOut(life)),
  ]);
}

/** preStop runs before every end that is not the container's own, or it is said why it does not. */
function leftOut({ spec, stop, hooks, remarks }: Life): string[] {
  if (spec.preStop === undefined || stop === undefined) return [];
  if (hooks.some(({ hook }) => hook === 'preStop') || remarks.some((text) => text.startsWith('preStop not run: '))) {
    return [];
  }
  return [`${spec.name} was stopped without its preStop, and nothing says why`];
}

function hookOf({ spec, hooks }: Life, hook: HookName, ownersDied: boolean): string[] {
  const begun = hooks.filter((one) => one.kind === 'hook-start' && one.hook === hook);
  const ended = hooks.filter((one) => one.kind === 'hook-end' && one.hook === hook);
  const told: string[] = [];
  const [begin] = begun;
  const end = ended.at(-1);
  if (begin !== undefined && end === undefined) told.push(`${hook} of ${spec.name} began and never ended`);
  if (begin !== undefined && end !== undefined && hooks.indexOf(end) < hooks.indexOf(begin)) {
    told.push(`${hook} of ${spec.name} ended before it began`);
  }
  if (begin !== undefined && spec[hook] === undefined) told.push(`${spec.name} has no ${hook}, and it ran`);
  // An owner that died may have known of a hook, or of its end, before it could say so.
  if (ownersDied) return told;
  if (begin === undefined && end !== undefined) told.push(`${hook} of ${spec.name} ended and never began`);
  if (begun.length > 1) told.push(`${hook} of ${spec.name} ran ${begun.length} times in one instance`);
  if (ended.length > 1) told.push(`${hook} of ${spec.name} ended ${ended.length} times in one instance`);
  const count = begin?.restartCount;
  if (end !== undefined && end.restartCount !== count) told.push(`${hook} of ${spec.name} ended in another instance`);
  return told;
}
