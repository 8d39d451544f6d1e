import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf, hexOf } from './digest.ts';
import { type Reference, formatReference } from './reference.ts';

/** Where the store keeps what, below `--root`: an OCI image layout, and beside it what minirt makes of it. */
export interface StorePaths {
  readonly root: string;
  readonly marker: string;
  readonly index: string;
  readonly blobs: string;
  /** Unpacked layers, in folders with short names: overlay options are short. */
  readonly layers: string;
  /** Links from a chain id to the folder of its top layer. */
  readonly chains: string;
  /** Everything that is not complete yet; on the same filesystem, so that completing it is a rename. */
  readonly ingest: string;
  readonly indexLock: string;
  readonly layersLock: string;
}

export function storePaths(root: string): StorePaths {
  const layers = join(root, 'layers');
  return {
    root,
    marker: join(root, 'oci-layout'),
    index: join(root, 'index.json'),
    blobs: join(root, 'blobs', 'sha256'),
    layers,
    chains: join(layers, 'chains'),
    ingest: join(root, 'ingest'),
    indexLock: join(root, 'index.lock'),
    layersLock: join(layers, 'lock'),
  };
}

/** Makes the folders. Mode 0700 keeps users of the host away from setuid programs in layers (CVE-2021-41103). */
export function makeStore(paths: StorePaths): void {
  for (const dir of [paths.root, paths.blobs, paths.layers, paths.chains, paths.ingest]) {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
  }
}

/** @throws MinirtError image.invalid when it is no digest */
export function blobPath(paths: StorePaths, digest: string): string {
  return join(paths.blobs, hexOf(digest));
}

/** Held by whoever pulls a reference. */
export function pullLock(paths: StorePaths, reference: Reference): string {
  return join(paths.ingest, `pull-${hexOf(digestOf(formatReference(reference))).slice(0, 16)}`);
}
