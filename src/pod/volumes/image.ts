import { MinirtError } from '../../base/errors.ts';
import type { VolumeKind } from './kind.ts';

/** What an image holds, read-only. That the image is here is seen to when a container starts, as with its own. */
export const image: VolumeKind<'image'> = {
  async prepare() {
    // Nothing of it is made on the host.
  },

  async source({ reference }, { rootfs }) {
    const found = await rootfs(reference);
    if (found !== undefined) return found;
    throw new MinirtError(
      'config.missing',
      `ImageVolumeMountFailed: failed to resolve image "${reference}": not found`,
    );
  },
  isReadOnly: () => true,
};
