import type { VolumeKind } from './kind.ts';
import { onDisk } from './place.ts';

/** A folder on the host's disk that lives as long as its pod, whatever becomes of the containers. */
export const emptyDir: VolumeKind<'emptyDir'> = {
  async prepare({ name }, preparing) {
    await onDisk.make(name, preparing);
  },
  source: ({ name }, home) => Promise.resolve(onDisk.folder(name, home)),
};
