import { manifestError, parseManifest } from '../manifest/parse.ts';
import type { Pod } from '../manifest/pod.ts';
import { tell } from './io.ts';
import { readManifest } from './source.ts';
import { type Context, type OptionSpec, usage } from './verb.ts';

export const validateOption: OptionSpec = {
  flags: '--validate <mode>',
  text: 'unknown and unsupported fields are errors (strict), warnings, or ignored',
  choices: ['strict', 'warn', 'ignore'],
};

export interface ManifestOptions {
  readonly validate?: 'strict' | 'warn' | 'ignore';
}

/** Reads and checks the pods of a manifest; every problem in it is in the one error. Notices go to stderr. */
export async function readPods(context: Context, source: string, options: ManifestOptions): Promise<readonly Pod[]> {
  const { io } = context;
  const { name, text } = await readManifest(io, source);
  const { pods, problems, notices } = parseManifest(text, { file: name, validate: options.validate ?? 'strict' });
  if (problems.length > 0) throw manifestError(problems);
  for (const notice of notices) tell(io, `warning: ${String(notice)}`);
  if (pods.length === 0) throw usage(`read manifest: ${name}: there is no Pod in it`);
  return pods.map((pod) => inNamespace(context, pod));
}

/** `-n` must agree with what the manifest says, as kubectl demands it. */
function inNamespace(context: Context, pod: Pod): Pod {
  const written = pod.object.metadata?.namespace;
  if (!context.namespaceGiven || pod.namespace === context.namespace) return pod;
  if (written !== undefined && written !== 'default') {
    throw usage(
      `the namespace from the provided object "${written}" does not match the namespace "${context.namespace}"`,
      `pass '--namespace=${written}' to perform this operation`,
    );
  }
  const object = { ...pod.object, metadata: { ...pod.object.metadata, namespace: context.namespace } };
  return { ...pod, namespace: context.namespace, object };
}
