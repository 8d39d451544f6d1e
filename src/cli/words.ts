import { MinirtError } from '../base/errors.ts';
import { type ObjectKind, PLURAL } from '../manifest/objects.ts';
import { usage } from './verb.ts';

const POD_WORDS: ReadonlySet<string> = new Set(['pod', 'pods', 'po']);
const EVENT_WORDS: ReadonlySet<string> = new Set(['event', 'events', 'ev']);
const CONFIG_MAP_WORDS: ReadonlySet<string> = new Set(['configmap', 'configmaps', 'cm']);
const SECRET_WORDS: ReadonlySet<string> = new Set(['secret', 'secrets']);
const CLAIM_WORDS: ReadonlySet<string> = new Set(['pvc', 'persistentvolumeclaim', 'persistentvolumeclaims']);

export type Kind = 'pods' | 'events' | ObjectKind;

export interface Target {
  readonly kind: Kind;
  /** Empty: all of the kind. */
  readonly names: readonly string[];
}

function kindOf(word: string): Kind {
  const lower = word.toLowerCase();
  if (POD_WORDS.has(lower)) return 'pods';
  if (EVENT_WORDS.has(lower)) return 'events';
  if (CONFIG_MAP_WORDS.has(lower)) return 'ConfigMap';
  if (SECRET_WORDS.has(lower)) return 'Secret';
  if (CLAIM_WORDS.has(lower)) return 'PersistentVolumeClaim';
  throw usage(`the kind "${word}" is not known`, 'say `pod`, `configmap`, `secret`, `pvc` or `events`');
}

/** kubectl's grammar of resources: `pods`, `pod a b`, `pod/a pod/b`. */
export function parseTarget(words: readonly string[]): Target {
  const [first, ...rest] = words;
  if (first === undefined) throw usage('say what: `pods`, `pod NAME` or `events`');
  if (!first.includes('/')) {
    const kind = kindOf(first);
    const slashed = rest.find((word) => word.includes('/'));
    if (slashed !== undefined) {
      throw usage(
        'there is no need to specify a resource type as a separate argument when passing arguments in resource/name form',
      );
    }
    return { kind, names: rest.map((name) => checkName(name, kind)) };
  }
  const pairs = words.map(splitSlash);
  const kinds = new Set(pairs.map((pair) => pair.kind));
  const [kind] = kinds;
  if (kind === undefined || kinds.size !== 1) throw usage('name things of one kind in one call');
  return { kind, names: pairs.map((pair) => pair.name) };
}

/** Names of pods for verbs that know nothing else: `pod a b`, `pod/a`, and, as docker has it, plain `a b`. */
export function parsePodNames(words: readonly string[]): readonly string[] {
  const [first, ...rest] = words;
  if (first !== undefined && POD_WORDS.has(first) && rest.length > 0) return rest.map(podName);
  return words.map(podName);
}

/** `NAME`, `pod/NAME` or `pods/NAME`. */
export function podName(word: string): string {
  if (!word.includes('/')) return checkName(word, 'pods');
  const { kind, name } = splitSlash(word);
  if (kind !== 'pods') throw usage(`"${word}" is not a pod`);
  return name;
}

function splitSlash(word: string): { kind: Kind; name: string } {
  const [kind, name, ...more] = word.split('/');
  if (kind === undefined || name === undefined || name === '' || more.length > 0) {
    throw usage('arguments in resource/name form must have a single resource and name', 'for example pod/NAME');
  }
  const found = kindOf(kind);
  return { kind: found, name: checkName(name, found) };
}

/** A name becomes part of a path, so nothing that is no Kubernetes name gets past here. */
function checkName(name: string, kind: Kind): string {
  if (isObjectName(name)) return name;
  if (kind === 'pods' || kind === 'events') throw new MinirtError('pod.not-found', `pods "${name}" not found`);
  throw new MinirtError('object.not-found', `${PLURAL[kind]} "${name}" not found`);
}

/** Whether `name` can be the name of a pod or a namespace (RFC 1123 subdomain). */
export function isObjectName(name: string): boolean {
  return name.length <= 253 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(name);
}

/** What a flag with a truth value says, as Docker's and Podman's do. */
export function yesOrNo(flag: string, word: string): boolean {
  if (/^(true|1|yes)$/i.test(word)) return true;
  if (/^(false|0|no)$/i.test(word)) return false;
  throw usage(`${flag}: "${word}" is neither true nor false`);
}
