import { readFile } from 'node:fs/promises';
import { isErrno } from '../../base/errors.ts';
import { writeAtomically } from '../../state/files.ts';
import { type ContainerPaths, containerPaths } from '../../state/paths.ts';
import type { EngineView } from '../engine.ts';
import { type Mask, maskOf, secretValues } from '../mask.ts';
import type { PodHostPorts } from './host.ts';

/** Notes the values that an instance is about to get, so that they stay hidden when its Secrets have changed. */
export async function noteSecrets(ports: PodHostPorts, { pod }: EngineView, paths: ContainerPaths): Promise<void> {
  const values = await secretValues(pod, ports.objects);
  if (values.length > 0) writeAtomically(paths.secrets, JSON.stringify(values));
}

/** What hides values of Secrets in what is told of an instance's hooks and probes. */
export function maskOfInstance(ports: PodHostPorts, { pod, record }: EngineView, id: string): Promise<Mask> {
  const paths = containerPaths(ports.roots, record.uid, id);
  return maskOf(pod, ports.objects, () => notedSecrets(paths));
}

async function notedSecrets(paths: ContainerPaths): Promise<readonly string[]> {
  try {
    return JSON.parse(await readFile(paths.secrets, 'utf8')) as readonly string[];
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}
