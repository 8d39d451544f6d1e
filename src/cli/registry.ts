import { parseReference } from '../image/reference.ts';
import { plainKey } from '../image/registry/credentials.ts';
import { usage } from './verb.ts';

/** The registry that a word means, as references name it. @throws MinirtError usage */
export function registryOf(word = 'docker.io'): string {
  const host = plainKey(word);
  try {
    const { domain, path } = parseReference(`${host}/x`);
    if (path === 'x' || path === 'library/x') return domain;
  } catch {
    // Told below.
  }
  throw usage(`"${word}" is not a registry`, 'for example ghcr.io or localhost:5000');
}
