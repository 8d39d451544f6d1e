import type { Claim, StoredObject } from '../manifest/objects.ts';
import { type Parsed, manifestError, parseManifest } from '../manifest/parse.ts';
import type { Pod } from '../manifest/pod.ts';
import { tell } from './io.ts';
import { readManifests } from './source.ts';
import { type Context, type OptionSpec, usage } from './verb.ts';

export const validateOption: OptionSpec = {
  flags: '--validate <mode>',
  text: 'unknown and unsupported fields are errors (strict), warnings, or ignored',
  choices: ['strict', 'warn', 'ignore'],
};

export interface ManifestOptions {
  readonly validate?: 'strict' | 'warn' | 'ignore';
}

/** What is in a manifest. */
export interface Manifest {
  readonly pods: readonly Pod[];
  /** ConfigMaps, Secrets and claims, which come before the pods that use them. */
  readonly objects: readonly StoredObject[];
  /** Claims of pods of StatefulSets: made when they are missing, and left when the pod goes. */
  readonly claims: readonly Claim[];
}

/** Reads and checks a manifest, or a folder of them; every problem in it is in the one error. Notices go to stderr. */
export async function readManifest(context: Context, source: string, options: ManifestOptions): Promise<Manifest> {
  const { io } = context;
  const texts = await readManifests(io, source);
  const parsed = texts.map(({ name, text }): Parsed =>
    parseManifest(text, { file: name, validate: options.validate ?? 'strict' }),
  );
  const problems = parsed.flatMap((one) => one.problems);
  if (problems.length > 0) throw manifestError(problems);
  for (const notice of parsed.flatMap((one) => one.notices)) tell(io, `warning: ${notice}`);
  return {
    pods: parsed.flatMap((one) => one.pods).map((pod) => inNamespace(context, pod)),
    objects: parsed.flatMap((one) => one.objects).map((object) => inNamespace(context, object)),
    claims: parsed.flatMap((one) => one.claims).map((claim) => inNamespace(context, claim)),
  };
}

/** {@link readManifest} for those who need a pod in it. */
export async function readPods(context: Context, source: string, options: ManifestOptions): Promise<Manifest> {
  const manifest = await readManifest(context, source, options);
  if (manifest.pods.length === 0) throw usage(`read manifest: ${source}: there is no Pod in it`);
  return manifest;
}

/** `-n` must agree with what the manifest says, as kubectl demands it. */
function inNamespace<T extends Pod | StoredObject>(context: Context, given: T): T {
  const written = given.object.metadata?.namespace;
  if (!context.namespaceGiven || given.namespace === context.namespace) return given;
  if (written !== undefined && written !== 'default') {
    throw usage(
      `the namespace from the provided object "${written}" does not match the namespace "${context.namespace}"`,
      `pass '--namespace=${written}' to perform this operation`,
    );
  }
  const object = { ...given.object, metadata: { ...given.object.metadata, namespace: context.namespace } };
  return { ...given, namespace: context.namespace, object };
}
