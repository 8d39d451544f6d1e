import { MinirtError, isErrno } from '../../base/errors.ts';
import { unknownContainer } from '../../pod/exec.ts';
import type { ContainerRecord } from '../../pod/record.ts';
import { type PodView, viewPod } from '../../pod/view.ts';
import type { Roots } from '../../state/paths.ts';

/**
 * Which run of a container `logs` shows (pkg/kubelet/kubelet_pods.go: validateContainerLogStatus). Unlike there, the
 * log of a container whose postStart still runs can be read. Throws container.waiting in the kubelet's words.
 */
export function logInstance(view: PodView, name: string, previous: boolean): number {
  const container = view.record.containers.find((one) => one.name === name);
  const { initContainerStatuses = [], containerStatuses = [] } = view.object.status ?? {};
  const status = [...initContainerStatuses, ...containerStatuses].find((one) => one.name === name);
  const where = `container "${name}" in pod "${view.name}"`;
  if (container === undefined) throw unknownContainer(view, name);
  if (previous) {
    const restart = runOf(container, status?.lastState?.terminated?.containerID);
    if (restart !== undefined) return restart;
    throw new MinirtError('container.waiting', `previous terminated ${where} not found`);
  }
  if (hasProcess(container)) return container.restartCount;
  const shown = runOf(container, status?.state?.terminated?.containerID ?? status?.lastState?.terminated?.containerID);
  if (shown !== undefined) return shown;
  if (status?.state?.terminated !== undefined) throw new MinirtError('container.waiting', `${where} is terminated`);
  throw new MinirtError(
    'container.waiting',
    `${where} is waiting to start: ${waitingText(status?.state?.waiting?.reason)}`,
  );
}

function waitingText(reason: string | undefined): string {
  if (reason === 'ErrImagePull') return "image can't be pulled";
  if (reason === 'ImagePullBackOff') return 'trying and failing to pull image';
  return reason ?? 'no logs yet';
}

function hasProcess({ state }: ContainerRecord): boolean {
  return state.phase === 'starting' || state.phase === 'running' || state.phase === 'stopping';
}

/** The restart number of the run with this id. */
function runOf(container: ContainerRecord, id: string | undefined): number | undefined {
  const bare = id?.replace(/^[a-z]+:\/\//, '');
  if (bare === undefined || bare === '') return undefined;
  const { state, last } = container;
  if (state.phase === 'exited' && state.terminated.containerId === bare) return container.restartCount;
  // In `waiting` after an exit the count is still that of the run before; while creating it is one more.
  if (last?.containerId === bare) return Math.max(0, container.restartCount - 1);
  return undefined;
}

/** Whether a run of a container is over and its log complete; true as well when the pod is gone. */
export async function runIsOver(roots: Roots, uid: string, run: { name: string; restart: number }): Promise<boolean> {
  const view = await viewOrNothing(roots, uid);
  if (view === undefined || view.record.ended !== undefined) return true;
  const container = view.record.containers.find((one) => one.name === run.name);
  if (container === undefined || container.restartCount > run.restart) return true;
  return container.restartCount === run.restart && container.state.phase === 'exited';
}

/** The pod as it is now, or undefined when it is gone. */
export async function viewOrNothing(roots: Roots, uid: string): Promise<PodView | undefined> {
  try {
    return await viewPod(roots, uid);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
