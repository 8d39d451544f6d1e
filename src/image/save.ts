import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Pack, pack } from 'tar-stream';
import { inflatedFile } from './compression.ts';
import { digestOf, hexOf, verified } from './digest.ts';
import { compressionOf } from './manifest.ts';
import type { ImageParts } from './parts.ts';
import { CONTAINERD_NAME, REF_NAME } from './layout.ts';
import { MEDIA } from './manifest.ts';

/** `oci-archive`: an OCI image layout in a tar, byte for byte what the store has; `docker-archive`: what old tools read. */
export type ArchiveFormat = 'oci-archive' | 'docker-archive';

/** An image that is to be saved, and the names it is to have in the archive. */
export interface Saved {
  readonly parts: ImageParts;
  readonly names: readonly string[];
}

/**
 * Writes images to an archive; the same images give the same bytes. Every blob is verified on its way.
 * @throws MinirtError image.digest-mismatch, image.invalid
 */
export async function saveImages(
  images: readonly Saved[],
  format: ArchiveFormat,
  { to, signal }: { readonly to: Writable; readonly signal: AbortSignal },
): Promise<void> {
  const archive = new Archive();
  const filled = (format === 'oci-archive' ? fillLayout : fillDocker)(archive, images).then(
    () => {
      archive.end();
    },
    (error: unknown) => {
      archive.fail(error);
    },
  );
  await pipeline(archive.bytes, to, { signal });
  await filled;
}

async function fillLayout(archive: Archive, images: readonly Saved[]): Promise<void> {
  await archive.text('oci-layout', '{"imageLayoutVersion":"1.0.0"}');
  const manifests: object[] = [];
  for (const { parts, names } of images) {
    const { mediaType = MEDIA.manifest } = JSON.parse(parts.manifest.toString()) as { mediaType?: string };
    const descriptor = { mediaType, digest: digestOf(parts.manifest), size: parts.manifest.length };
    if (names.length === 0) manifests.push(descriptor);
    for (const name of names)
      manifests.push({ ...descriptor, annotations: { [REF_NAME]: name, [CONTAINERD_NAME]: name } });
    for (const bytes of [parts.manifest, parts.config]) await archive.text(blobName(digestOf(bytes)), bytes);
    for (const { blob, path } of parts.layers) {
      const expected = { what: 'blob', digest: blob.digest, size: blob.size };
      await archive.file(blobName(blob.digest), blob.size, () => verified(createReadStream(path), expected));
    }
  }
  await archive.text('index.json', JSON.stringify({ schemaVersion: 2, mediaType: MEDIA.index, manifests }));
}

async function fillDocker(archive: Archive, images: readonly Saved[]): Promise<void> {
  const list: object[] = [];
  for (const { parts, names } of images) {
    const config = `${hexOf(digestOf(parts.config))}.json`;
    await archive.text(config, parts.config);
    const layers: string[] = [];
    for (const { diffId, blob, path } of parts.layers) {
      const name = `${hexOf(diffId)}.tar`;
      const plain = (): AsyncIterable<Uint8Array> =>
        verified(inflatedFile(path, compressionOf(blob)), { what: 'layer', digest: diffId, size: undefined });
      layers.push(name);
      if (archive.has(name)) continue;
      await archive.file(name, compressionOf(blob) === 'none' ? (await stat(path)).size : await sizeOf(plain()), plain);
    }
    list.push({ Config: config, RepoTags: names.length === 0 ? null : names, Layers: layers });
  }
  await archive.text('manifest.json', JSON.stringify(list));
}

function blobName(digest: string): string {
  return `blobs/sha256/${hexOf(digest)}`;
}

/** A header comes before its content, so what is packed has to be unpacked to know how long it is. */
async function sizeOf(bytes: AsyncIterable<Uint8Array>): Promise<number> {
  let size = 0;
  for await (const chunk of bytes) size += chunk.length;
  return size;
}

/** A tar that is written as fast as it is read, each name once. */
class Archive {
  readonly bytes: Pack = pack();
  readonly #names = new Set<string>();

  has(name: string): boolean {
    return this.#names.has(name);
  }

  async text(name: string, text: string | Buffer): Promise<void> {
    const bytes = Buffer.from(text);
    await this.file(name, bytes.length, () => [bytes]);
  }

  async file(name: string, size: number, open: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void> {
    if (this.#names.has(name)) return;
    this.#names.add(name);
    const entry = this.bytes.entry({ name, size, mode: 0o644, mtime: new Date(0) });
    await pipeline(open(), entry as unknown as Writable);
  }

  end(): void {
    this.bytes.finalize();
  }

  fail(error: unknown): void {
    this.bytes.destroy(error as Error);
  }
}
