import type { Image, ImageParts } from '../../image/store.ts';

/** An image in the form of `docker image inspect`; what it says of itself is passed on as it is. */
export function inspectedImage(image: Image, parts: ImageParts): object {
  const config = JSON.parse(parts.config.toString()) as Readonly<Record<string, unknown>>;
  const repositories = new Set(image.names.map((name) => name.slice(0, name.lastIndexOf(':'))));
  return {
    Id: image.id,
    RepoTags: image.names,
    RepoDigests: [...repositories].map((name) => `${name}@${image.digest}`),
    Digest: image.digest,
    Created: config['created'],
    Author: config['author'] ?? '',
    Architecture: config['architecture'],
    Variant: config['variant'],
    Os: config['os'],
    Size: image.size,
    Source: image.source,
    Config: config['config'] ?? {},
    RootFS: { Type: 'layers', Layers: parts.layers.map(({ diffId }) => diffId) },
    Layers: parts.layers.map(({ blob: { mediaType, digest, size } }) => ({ mediaType, digest, size })),
    History: config['history'] ?? [],
  };
}
