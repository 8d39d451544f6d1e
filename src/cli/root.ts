import { MinirtError } from '../base/errors.ts';

/** Verbs that touch neither the host nor minirt's folders. */
const withoutRoot: ReadonlySet<string> = new Set(['version']);

/** Refuses, in one sentence, what only root can do; before anything is tried. */
export function requireRoot(verb: string, euid: number | undefined): void {
  if (euid === 0 || withoutRoot.has(verb)) return;
  throw new MinirtError(
    'host.not-root',
    `run minirt ${verb}: only root can make containers and read what minirt keeps`,
    {
      hint: `sudo minirt ${verb} …`,
    },
  );
}
