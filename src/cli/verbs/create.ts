import { ensureOwned } from '../../supervisor/client.ts';
import { registerPod } from '../../supervisor/registry.ts';
import { say, tell } from '../io.ts';
import { type ManifestOptions, readManifest, validateOption } from '../manifests.ts';
import { type NetworkOption, networkOption, onNetwork } from '../network.ts';
import { createObjects, makeClaims } from '../objects.ts';
import { asJson, asYaml } from '../render/document.ts';
import { type Verb, usage } from '../verb.ts';

interface Options extends ManifestOptions, NetworkOption {
  readonly filename?: string;
  readonly output?: 'json' | 'yaml' | 'name';
}

export const verb: Verb<Options> = {
  arguments: '',
  options: [
    { flags: '-f, --filename <file>', text: 'manifest: a file, a folder, an http(s) URL, or - for stdin' },
    validateOption,
    networkOption,
    { flags: '-o, --output <format>', text: 'print the created pod', choices: ['json', 'yaml', 'name'] },
  ],
  async run(context, { options }) {
    const { io, roots } = context;
    if (options.filename === undefined) throw usage('must specify -f', 'minirt create -f pod.yaml');
    const { pods, objects, claims } = await readManifest(context, options.filename, options);
    await createObjects(context, objects, options.output);
    await makeClaims(context, claims, (line) => {
      tell(io, line);
    });
    for (const pod of await onNetwork(pods, options.network)) {
      const view = await registerPod(roots, pod, {});
      await ensureOwned(roots, view.uid);
      if (options.output === 'json') io.stdout.write(asJson(view.object));
      else if (options.output === 'yaml') io.stdout.write(await asYaml(view.object));
      else say(io, options.output === 'name' ? `pod/${view.name}` : `pod/${view.name} created`);
    }
    return 0;
  },
};
