import { isDeepStrictEqual } from 'node:util';
import { MinirtError, isMinirtError } from '../../base/errors.ts';
import type { Pod } from '../../manifest/pod.ts';
import { type PodView, findPod } from '../../pod/view.ts';
import { ensureOwned } from '../../supervisor/client.ts';
import { say, tell } from '../io.ts';
import { type ManifestOptions, readManifest, validateOption } from '../manifests.ts';
import { applyObjects, makeClaims } from '../objects.ts';
import { register } from '../run/prepare.ts';
import { type Context, type Verb, usage } from '../verb.ts';

interface Options extends ManifestOptions {
  readonly filename?: string;
  readonly replace?: boolean;
}

export const verb: Verb<Options> = {
  arguments: '',
  options: [
    { flags: '-f, --filename <file>', text: 'manifest: a file, a folder, an http(s) URL, or - for stdin' },
    { flags: '--replace', text: 'end a pod that is to be another one, and create it anew' },
    validateOption,
  ],
  notes:
    'ConfigMaps and Secrets are created or changed in place; pods are created, and left alone when they are the same.',
  async run(context, { options }) {
    const { io } = context;
    if (options.filename === undefined) throw usage('must specify -f', 'minirt apply -f pod.yaml');
    const { pods, objects, claims } = await readManifest(context, options.filename, options);
    const told = (line: string): void => {
      say(io, line);
    };
    await applyObjects(context, objects, told);
    await makeClaims(context, claims, told);
    for (const pod of pods) say(io, `pod/${pod.name} ${await applyPod(context, pod, options)}`);
    return 0;
  },
};

async function applyPod(
  context: Context,
  pod: Pod,
  { replace }: Options,
): Promise<'created' | 'configured' | 'unchanged'> {
  const before = await findPod(context.roots, pod.namespace, pod.name).catch((error: unknown) => {
    if (isMinirtError(error, 'pod.not-found')) return undefined;
    throw error;
  });
  if (before !== undefined && isDeepStrictEqual(essence(before.pod), essence(pod))) return 'unchanged';
  if (before !== undefined && replace !== true) throw changed(before);
  const note = (line: string): void => {
    tell(context.io, line);
  };
  const view = await register(context, pod, { replace: true, note });
  await ensureOwned(context.roots, view.uid);
  return before === undefined ? 'created' : 'configured';
}

function changed({ name }: PodView): MinirtError {
  return new MinirtError(
    'pod.exists',
    `pods "${name}" is invalid: spec: Forbidden: pod updates may not change fields`,
    {
      hint: '--replace ends it and creates it anew',
    },
  );
}

/** What of a pod is its manifest's. */
function essence({ object: { metadata = {}, spec } }: Pod): unknown {
  return { spec, labels: metadata.labels ?? {}, annotations: metadata.annotations ?? {} };
}
