import type { Row } from './row.ts';

/** Escapes by what an image or its layers are. */
export const imageRows: readonly Row[] = [
  {
    ids: ['CVE-2020-10696', 'CVE-2018-20834'],
    how: 'names in an archive climbed out of it',
    defence: 'names with `..` are refused, and the kernel keeps the rest beneath the folder',
    proof: 'test',
    controls: ['layer-paths'],
  },
  {
    ids: ['CVE-2026-17106', 'CVE-2026-23745', 'CVE-2026-26960'],
    how: 'links within an archive were followed out of it by later entries',
    defence: 'layers are written through descriptors beneath their folder',
    proof: 'test',
    controls: ['layer-paths'],
  },
  {
    ids: ['CVE-2021-29136'],
    how: 'the root entry of a layer was a link',
    defence: 'refused',
    proof: 'test',
    uncontrolled: 'the folder of the layer is opened before the first entry is read',
  },
  {
    ids: ['CVE-2021-32760'],
    how: 'the mode of a later entry was set through an earlier link',
    defence: 'an entry replaces what is there; modes are set on the descriptor of what was made',
    proof: 'test',
    uncontrolled: 'the descriptor is the defence',
  },
  {
    ids: ['CVE-2020-15157'],
    how: 'credentials were sent to a foreign layer URL',
    defence:
      'URLs of layers are never used; credentials go to the registry itself and to no other scheme, host or port',
    proof: 'test',
    controls: ['redirects'],
  },
  {
    ids: ['CVE-2021-20291', 'CVE-2021-21285'],
    how: 'odd archives and documents hung or crashed the daemon',
    defence: 'errors with a code, within a bounded time; fuzzed',
    proof: 'test',
    uncontrolled: 'there is no single defence',
  },
  {
    ids: ['CVE-2021-41190'],
    how: 'one document was read as an index by some and as a manifest by others',
    defence: 'refused',
    proof: 'test',
    controls: ['documents'],
  },
  {
    ids: ['CVE-2023-25153', 'CVE-2025-58183'],
    how: 'large files and maps in an archive were read into memory',
    defence: 'documents are at most 4 MiB; sparse maps are refused',
    proof: 'test',
    uncontrolled: 'a build without the limit would use up the memory of the host',
  },
  {
    ids: ['CVE-2024-3727'],
    how: 'a digest was used as a path',
    defence: 'sha256: and 64 hex digits, or an error',
    proof: 'test',
    controls: ['digests'],
  },
  {
    ids: ['CVE-2026-23950', 'CVE-2026-24842', 'GHSA-vmf3-w455-68vh', 'GHSA-w8wr-v893-vjvp'],
    how: 'a JavaScript tar library checked names one way and used them in another',
    defence: 'the native helper writes; JavaScript only reads the headers',
    proof: 'test',
    controls: ['layer-paths'],
  },
  {
    ids: ['CVE-2026-47262'],
    how: 'a group file of gigabytes was read into memory',
    defence: 'at most 1 MiB',
    proof: 'test',
    controls: ['large-accounts'],
  },
];
