import type { ContentVolume, Projection } from '../../manifest/volume.ts';
import { writeVolume } from './atomic-writer.ts';
import { configMapFiles } from './config-map.ts';
import { downwardFiles } from './downward-api.ts';
import type { ContentFile, Files } from './files.ts';
import type { Preparing, VolumeKind } from './kind.ts';
import { giveToGroup } from './ownership.ts';
import { type Place, inMemory, onDisk } from './place.ts';
import { secretFiles } from './secret.ts';

/** The files of a projection. Throws MinirtError volume.failed for what is not there. */
async function filesOf(source: Projection, preparing: Preparing, defaultMode: number): Promise<Files> {
  const { objects, pod } = preparing;
  switch (source.kind) {
    case 'configMap':
      return configMapFiles(source, await objects.configMap(pod.namespace, source.object), defaultMode);
    case 'secret':
      return secretFiles(source, await objects.secret(pod.namespace, source.object), defaultMode);
    case 'downwardAPI':
      return downwardFiles(source, preparing, defaultMode);
    default:
      return source satisfies never;
  }
}

/** A volume whose files are made from something else, and follow it. Of two files on one path the later one counts. */
function contentIn<K extends ContentVolume['kind']>(place: Place): VolumeKind<K> {
  return {
    isReadOnly: () => true,
    async prepare(volume: ContentVolume, preparing) {
      const files = new Map<string, ContentFile>();
      for (const source of volume.sources) {
        for (const [path, file] of await filesOf(source, preparing, volume.defaultMode)) files.set(path, file);
      }
      const folder = await place.make(volume.name, preparing);
      await writeVolume(folder, files, () => giveToGroup(folder, preparing, { readOnly: true }));
    },
    source: ({ name }: ContentVolume, home) => Promise.resolve(place.folder(name, home)),
  };
}

/** ConfigMaps are on disk; whatever may hold a Secret, or changes with its pod, is in memory, as a kubelet has it. */
export const contentKinds: { readonly [K in ContentVolume['kind']]: VolumeKind<K> } = {
  configMap: contentIn(onDisk),
  secret: contentIn(inMemory),
  downwardAPI: contentIn(inMemory),
  projected: contentIn(inMemory),
};
