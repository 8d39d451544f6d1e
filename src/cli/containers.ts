import { MinirtError } from '../base/errors.ts';
import { defaultContainer } from '../pod/exec.ts';
import type { PodView } from '../pod/view.ts';

/** The container that `-c` names, or the default one, which is then said as kubectl says it. */
export function chooseContainer(view: PodView, given: string | undefined, note: (line: string) => void): string {
  const names = view.pod.containers.map((container) => container.name);
  if (given === undefined) {
    const name = defaultContainer(view);
    if (names.length > 1) note(`Defaulted container "${name}" out of: ${names.join(', ')}`);
    return name;
  }
  if (names.includes(given)) return given;
  throw new MinirtError('container.not-found', `container ${given} is not valid for pod ${view.name}`, {
    hint: `it has: ${names.join(', ')}`,
  });
}
