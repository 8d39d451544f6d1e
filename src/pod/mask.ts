import { Buffer } from 'node:buffer';
import type { ObjectSource } from '../manifest/objects.ts';
import type { Container, Pod } from '../manifest/pod.ts';

/** Shorter values would blacken ordinary words. */
const SHORTEST = 8;
const MASK = '***';

export type Mask = (text: string) => string;

/** Blackens the values of the Secrets that a pod refers to, as text and in base64, unless its manifest says otherwise. */
export async function maskOf(pod: Pod, source: Pick<ObjectSource, 'secret'>): Promise<Mask> {
  if (!pod.masksSecrets) return (text) => text;
  const values: string[] = [];
  for (const name of new Set([...pod.containers.flatMap(secretsOf), ...mountedSecrets(pod)])) {
    const data = (await source.secret(pod.namespace, name))?.data ?? {};
    values.push(...Object.values(data));
  }
  return maskFor(values);
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

function mountedSecrets({ volumes }: Pod): readonly string[] {
  const sources = volumes.flatMap((volume) => ('sources' in volume ? volume.sources : []));
  return sources.flatMap((source) => (source.kind === 'secret' ? [source.object] : []));
}

function secretsOf({ env, envFrom }: Container): readonly string[] {
  const keys = env.flatMap((entry) => ('from' in entry && entry.from.kind === 'secretKey' ? [entry.from.object] : []));
  return [...keys, ...envFrom.filter(({ kind }) => kind === 'secret').map(({ object }) => object)];
}
