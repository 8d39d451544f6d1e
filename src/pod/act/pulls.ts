import { abortReason } from '../../base/clock.ts';
import { MinirtError } from '../../base/errors.ts';
import { type KnownCredentials, parseAuths } from '../../image/registry/credentials.ts';
import type { Pod } from '../../manifest/pod.ts';
import type { EngineView } from '../engine.ts';
import { type PullBackoff, nextPullBackoff } from '../pulling.ts';
import type { PodHostPorts } from './host.ts';

/** Between two looks whether the pod is being ended. */
const LOOK_NS = 100_000_000n;
/** Types of Secrets, the key that counts in them, and the form of what is there (core/v1: SecretType). */
const FORMS = {
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson', 'config'],
  'kubernetes.io/dockercfg': ['.dockercfg', 'dockercfg'],
} as const;

/** The pulls of one owner: one after the other, as the kubelet's default is (serializeImagePulls). */
export class Pulls {
  #last: Promise<unknown> = Promise.resolve();
  readonly #backoffs = new Map<string, PullBackoff>();

  /** Waits for its turn, then works. */
  inTurn<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const before = this.#last;
    const turn = raced(before, signal).then(work);
    this.#last = Promise.allSettled([before, turn]);
    return turn;
  }

  /** A pull failed: answers how long the pod has to wait for the next. */
  failed({ uid }: { readonly uid: string }, image: string, now: bigint): PullBackoff {
    const key = `${uid} ${image}`;
    const next = nextPullBackoff(this.#backoffs.get(key), now);
    this.#backoffs.set(key, next);
    return next;
  }

  /** The pod has ended. */
  forget({ uid }: { readonly uid: string }): void {
    for (const key of this.#backoffs.keys()) if (key.startsWith(`${uid} `)) this.#backoffs.delete(key);
  }
}

function raced(wait: Promise<unknown>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      reject(abortReason(signal));
    };
    if (signal.aborted) return stop();
    signal.addEventListener('abort', stop, { once: true });
    void wait.then(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    });
  });
}

/** Works until the owner lets go or the pod is to be ended, which the kubelet tells a pull in just this way. */
export async function whilePodLives<T>(
  { clock, signal }: PodHostPorts,
  engine: EngineView,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const end = new AbortController();
  let cancel = (): void => undefined;
  const look = (): void => {
    if (engine.record.termination !== undefined) end.abort(new MinirtError('aborted', 'context canceled'));
    else cancel = clock.at(clock.now() + LOOK_NS, look);
  };
  look();
  try {
    return await work(AbortSignal.any([signal, end.signal]));
  } finally {
    cancel();
  }
}

/** What the pod's imagePullSecrets hold, and the names of those that are not there or cannot be read. */
export async function pullSecrets(
  { objects }: Pick<PodHostPorts, 'objects'>,
  pod: Pod,
): Promise<{ readonly credentials: readonly KnownCredentials[]; readonly missing: readonly string[] }> {
  const credentials: KnownCredentials[] = [];
  const missing: string[] = [];
  for (const name of pod.imagePullSecrets) {
    const secret = await objects.secret(pod.namespace, name);
    const form = secret?.type as keyof typeof FORMS | undefined;
    if (secret === undefined || form === undefined) missing.push(name);
    else if (form in FORMS) credentials.push(...credentialsIn(secret.data, form, name));
  }
  return { credentials, missing };
}

function credentialsIn(
  data: Readonly<Record<string, string>>,
  type: keyof typeof FORMS,
  name: string,
): readonly KnownCredentials[] {
  const [key, form] = FORMS[type];
  return parseAuths(Buffer.from(data[key] ?? '', 'base64'), `secret ${name}: ${key}`, form);
}
