import type { KeyToPath } from '../../manifest/volume.ts';

export interface ContentFile {
  readonly bytes: Buffer;
  /** Permission bits. */
  readonly mode: number;
}

/** The files of a volume by their relative paths. */
export type Files = ReadonlyMap<string, ContentFile>;

/** How the keys of an object become files. */
export interface Keys {
  readonly items: readonly KeyToPath[];
  readonly optional: boolean;
  readonly defaultMode: number;
  /** Called for a key that must be there and is not. */
  readonly missing: (key: string) => never;
}

/** Every key as a file of that name, or those that are named where they are wanted (pkg/volume/configmap: MakePayload). */
export function filesOfKeys(data: ReadonlyMap<string, Buffer>, keys: Keys): Files {
  const { items, optional, defaultMode, missing } = keys;
  if (items.length === 0) return new Map([...data].map(([key, bytes]) => [key, { bytes, mode: defaultMode }]));
  const files = new Map<string, ContentFile>();
  for (const { key, path, mode = defaultMode } of items) {
    const bytes = data.get(key);
    if (bytes !== undefined) files.set(path, { bytes, mode });
    else if (!optional) missing(key);
  }
  return files;
}
