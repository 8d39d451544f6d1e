import { containerList, defaultContainer, unknownContainer } from '../pod/exec.ts';
import type { PodView } from '../pod/view.ts';

/** The container that `-c` names, or the default one, which is said as kubectl says it unless the pod names it. */
export function chooseContainer(view: PodView, given: string | undefined, note: (line: string) => void): string {
  const { containers } = view.pod;
  if (given === undefined) {
    const { name, annotated } = defaultContainer(view);
    if (!annotated && containers.length > 1) note(`Defaulted container "${name}" out of: ${containerList(view)}`);
    return name;
  }
  if (containers.some(({ name }) => name === given)) return given;
  throw unknownContainer(view, given);
}
