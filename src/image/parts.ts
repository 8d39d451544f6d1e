import type { Descriptor } from './manifest.ts';

/** All that an image is, as it lies in the store. */
export interface ImageParts {
  readonly manifest: Buffer;
  readonly config: Buffer;
  /** Bottom first. */
  readonly layers: readonly { readonly diffId: string; readonly blob: Descriptor; readonly path: string }[];
}
