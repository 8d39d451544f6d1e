import type { Control } from './control.ts';

const archives = 'escapes-archives';
const registries = 'escapes-registry';

/** Builds without a defence against documents of images and those who hand them out. */
export const imageControls: Readonly<Record<string, Control>> = {
  digests: {
    without: 'the form of a digest',
    edits: [{ file: 'src/image/digest.ts', from: '/^sha256:[a-f0-9]{64}$/', to: '/^sha256:/' }],
    tests: [[archives, 'a digest is a path']],
  },
  documents: {
    without: 'the refusal of documents that are two things at once',
    edits: [{ file: 'src/image/manifest.ts', from: 'if (isIndex && (document', to: 'if (!isIndex && (document' }],
    tests: [[archives, 'a document is an index and a manifest']],
  },
  redirects: {
    without: 'the keeping of credentials from whom a registry leads to',
    edits: [{ file: 'src/image/registry/transport.ts', from: 'at.origin === url.origin && auth', to: 'auth' }],
    tests: [[registries, 'stay with the registry']],
  },
};
