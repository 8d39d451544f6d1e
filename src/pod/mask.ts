import { Buffer } from 'node:buffer';
import type { ObjectSource } from '../manifest/objects.ts';
import type { Container, Pod } from '../manifest/pod.ts';

/** Shorter values would blacken ordinary words. */
const SHORTEST = 8;
const MASK = '***';

export type Mask = (text: string) => string;

/** The values (base64) of the Secrets that a pod refers to, as they are now. */
export async function secretValues(pod: Pod, source: Pick<ObjectSource, 'secret'>): Promise<readonly string[]> {
  const values: string[] = [];
  for (const name of secretNames(pod)) {
    values.push(...Object.values((await source.secret(pod.namespace, name))?.data ?? {}));
  }
  return values;
}

/**
 * Blackens the values of the Secrets that a pod refers to, as text and in base64, unless its manifest says otherwise.
 * `earlier`: those that a container got when it was made, which the Secrets may no longer have.
 */
export async function maskOf(
  pod: Pod,
  source: Pick<ObjectSource, 'secret'>,
  earlier: () => Promise<readonly string[]>,
): Promise<Mask> {
  if (!pod.masksSecrets || secretNames(pod).size === 0) return (text) => text;
  return maskFor([...(await secretValues(pod, source)), ...(await earlier())]);
}

/** `values`: in base64. Of a value of several lines each line counts, for it may be printed by itself. */
export function maskFor(values: readonly string[]): Mask {
  const forms = values.flatMap((base64) => {
    const text = Buffer.from(base64, 'base64').toString('utf8');
    return [base64, base64.replace(/=+$/, ''), text, ...text.split('\n').map((line) => line.trim())];
  });
  // The longest first: one value may be part of another.
  const hidden = [...new Set(forms)].filter((form) => form.length >= SHORTEST).toSorted((a, b) => b.length - a.length);
  return (text) => hidden.reduce((masked, form) => masked.replaceAll(form, MASK), text);
}

function secretNames(pod: Pod): ReadonlySet<string> {
  return new Set([...pod.containers.flatMap(secretsOf), ...mountedSecrets(pod)]);
}

function mountedSecrets({ volumes }: Pod): readonly string[] {
  const sources = volumes.flatMap((volume) => ('sources' in volume ? volume.sources : []));
  return sources.flatMap((source) => (source.kind === 'secret' ? [source.object] : []));
}

function secretsOf({ env, envFrom }: Container): readonly string[] {
  const keys = env.flatMap((entry) => ('from' in entry && entry.from.kind === 'secretKey' ? [entry.from.object] : []));
  return [...keys, ...envFrom.filter(({ kind }) => kind === 'secret').map(({ object }) => object)];
}
