import { MinirtError } from '../base/errors.ts';
import { isDigest } from './digest.ts';

/** Docker's registry, its old name, and where its own images live. */
const DEFAULT_DOMAIN = 'docker.io';
const LEGACY_DOMAIN = 'index.docker.io';
const OFFICIAL = 'library';

/** The grammar of distribution/reference. */
const DOMAIN_PART = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const DOMAIN = new RegExp(`^(?:${DOMAIN_PART}(?:\\.${DOMAIN_PART})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`);
const PATH = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
const LONGEST_NAME = 255;

/** A reference with everything that people leave out. */
export interface Reference {
  /** Registry host, such as `docker.io` or `localhost:5000`. */
  readonly domain: string;
  /** Repository in it, such as `library/nginx`. */
  readonly path: string;
  /** `latest` unless written; undefined when only a digest is. */
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

/**
 * Reads an image reference as Docker does: `nginx`, `nginx:latest` and `docker.io/library/nginx:latest` are one.
 * @throws MinirtError reference.invalid
 */
export function parseReference(text: string): Reference {
  const at = text.indexOf('@');
  const digest = at < 0 ? undefined : text.slice(at + 1);
  const named = at < 0 ? text : text.slice(0, at);
  if (named === '') throw invalid(text, 'it is empty');
  if (digest !== undefined && !isDigest(digest)) throw invalid(text, 'the digest is none');
  const colon = named.lastIndexOf(':');
  const hasTag = colon > named.lastIndexOf('/');
  const tag = hasTag ? named.slice(colon + 1) : undefined;
  if (tag !== undefined && !TAG.test(tag)) throw invalid(text, `the tag ${JSON.stringify(tag)} is none`);
  const { domain, path } = splitDomain(hasTag ? named.slice(0, colon) : named);
  if (!DOMAIN.test(domain)) throw invalid(text, `the registry ${JSON.stringify(domain)} is none`);
  if (!PATH.test(path)) {
    throw invalid(
      text,
      path === path.toLowerCase()
        ? `the repository ${JSON.stringify(path)} is none`
        : 'a repository name is lower case',
    );
  }
  if (/^[a-f0-9]{64}$/.test(named)) throw invalid(text, 'a name of 64 hex digits would pass for an image id');
  if (`${domain}/${path}`.length > LONGEST_NAME)
    throw invalid(text, `the name is longer than ${LONGEST_NAME} characters`);
  return { domain, path, tag: tag ?? (digest === undefined ? 'latest' : undefined), digest };
}

/** `docker.io/library/nginx:latest` */
export function formatReference({ domain, path, tag, digest }: Reference): string {
  return `${domain}/${path}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}

/** The one full name of a reference. */
export function normaliseReference(text: string): string {
  return formatReference(parseReference(text));
}

/** The first part is a registry only when it looks like a host: `foo/bar` is a user's repository on Docker's. */
function splitDomain(name: string): { domain: string; path: string } {
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  const isHost = /[.:]/.test(first) || first === 'localhost' || first.toLowerCase() !== first;
  const domain = isHost ? first : DEFAULT_DOMAIN;
  const path = isHost ? name.slice(slash + 1) : name;
  if (domain !== DEFAULT_DOMAIN && domain !== LEGACY_DOMAIN) return { domain, path };
  return { domain: DEFAULT_DOMAIN, path: path.includes('/') ? path : `${OFFICIAL}/${path}` };
}

function invalid(text: string, why: string): MinirtError {
  const shown = text.length > 300 ? `${text.slice(0, 300)}…` : text;
  return new MinirtError('reference.invalid', `read image reference: ${JSON.stringify(shown)}: ${why}`, {
    hint: 'it reads like nginx, nginx:1.27, quay.io/org/app:tag or nginx@sha256:…',
  });
}
