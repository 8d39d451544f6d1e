import { parseDuration } from '../../base/duration.ts';
import { durationOption } from '../duration.ts';
import { HOOK_TIMEOUT, MASK_SECRETS } from '../../manifest/defaults.ts';
import { tell } from '../io.ts';
import { type ManifestOptions, readPods, validateOption } from '../manifests.ts';
import { type NetworkOption, networkOption, onNetwork } from '../network.ts';
import { applyObjects, makeClaims } from '../objects.ts';
import type { Until } from '../run/outcome.ts';
import { annotated, checkImages, withPullPolicy } from '../run/prepare.ts';
import { type Verb, usage } from '../verb.ts';
import { isObjectName } from '../words.ts';

interface Options extends ManifestOptions, NetworkOption {
  readonly detach?: boolean;
  readonly name?: string;
  readonly replace?: boolean;
  readonly rm?: boolean;
  readonly pull?: keyof typeof POLICIES;
  readonly until?: Until;
  readonly timeout?: number;
  readonly hookTimeout?: string;
  readonly mask?: boolean;
  readonly quiet?: boolean;
  readonly output?: 'json';
  readonly filename?: string;
}

const POLICIES = { always: 'Always', missing: 'IfNotPresent', never: 'Never' } as const;

export const verb: Verb<Options> = {
  arguments: '[file]',
  options: [
    { flags: '-f, --filename <file>', text: 'the manifest, as kubectl names it', hidden: true },
    { flags: '-d, --detach', text: 'return when every container has started (postStart included) or failed to' },
    { flags: '--name <name>', text: "instead of the manifest's" },
    { flags: '--replace', text: 'end a running pod of that name first' },
    { flags: '--rm', text: 'remove the pod once it has ended' },
    validateOption,
    {
      flags: '--until <what>',
      text: 'stop gracefully when ready, when completed, or after a duration',
      parse: parseUntil,
    },
    {
      flags: '--timeout <duration>',
      text: 'stop gracefully after that long, and exit 124',
      parse: durationOption('--timeout'),
    },
    {
      flags: '--hook-timeout <duration>',
      text: 'a hook that takes longer is ended, and has failed',
      parse: positiveDuration,
    },
    { flags: '--no-mask', text: 'show values of Secrets in what hooks and probes print' },
    networkOption,
    { flags: '-q, --quiet', text: 'only what the containers print' },
    {
      flags: '-o, --output <format>',
      text: 'json: the pod as it ended (with -d: started) on stdout',
      choices: ['json'],
    },
    {
      flags: '--pull <when>',
      text: 'images of containers, whatever the manifest says: always, when missing, or never',
      choices: Object.keys(POLICIES),
    },
  ],
  notes: [
    'FILE is a path, an http(s) URL, or - for stdin. Ctrl-C, SIGTERM and SIGHUP end the pods with their own grace period; a',
    'second Ctrl-C kills. Exit status: 0 succeeded or ended in time; 137 had to be killed; 124 timed out; else how it failed.',
  ].join('\n'),
  async run(context, { words, options }) {
    const [word, ...more] = words;
    const file = word ?? options.filename;
    if (file === undefined || more.length > 0) throw usage('name one manifest', 'minirt run pod.yaml');
    if (options.name !== undefined && !isObjectName(options.name))
      throw usage(`--name: "${options.name}" cannot name a pod`);
    const { pods: read, objects, claims } = await readPods(context, file, options);
    const annotations = annotationsOf(options);
    const { pull } = options;
    const pulled = pull === undefined ? read : read.map((pod) => withPullPolicy(pod, POLICIES[pull]));
    const noted = Object.keys(annotations).length === 0 ? pulled : pulled.map((pod) => annotated(pod, annotations));
    const pods = await onNetwork(noted, options.network);
    if (options.name !== undefined && pods.length > 1) throw usage('--name needs a manifest of one pod');
    const told = (line: string): void => {
      if (options.quiet !== true) tell(context.io, line);
    };
    await checkImages(context, pods, told);
    await applyObjects(context, objects, told);
    await makeClaims(context, claims, told);
    const { name, replace, rm, quiet, timeout, until } = options;
    const how = {
      ...(name === undefined ? {} : { name }),
      ...(replace === undefined ? {} : { replace }),
      ...(rm === undefined ? {} : { rm }),
      ...(quiet === undefined ? {} : { quiet }),
      json: options.output === 'json',
      until,
      timeout,
    };
    if (options.detach !== true) return (await import('../run/foreground.ts')).runForeground(context, pods, how);
    if (until !== undefined || rm === true) throw usage('--until and --rm need a foreground run: leave out -d');
    return (await import('../run/detached.ts')).runDetached(context, pods, how);
  },
};

/** What of a call stays with the pod, whoever owns it later. */
function annotationsOf({ hookTimeout, mask }: Options): Readonly<Record<string, string>> {
  return {
    ...(hookTimeout === undefined ? {} : { [HOOK_TIMEOUT]: hookTimeout }),
    ...(mask === false ? { [MASK_SECRETS]: 'false' } : {}),
  };
}

/** The text itself: it is kept as it was given. */
function positiveDuration(text: string): string {
  if ((parseDuration(text) ?? 0) > 0) return text;
  throw usage(`--hook-timeout: "${text}" is not a duration above zero`, 'for example 30s, 1m30s or 500ms');
}

function parseUntil(text: string): Until {
  if (text === 'ready' || text === 'completed') return { kind: text };
  const value = parseDuration(text);
  if (value === undefined) throw usage(`--until: "${text}" is neither ready, completed nor a duration`);
  return { kind: 'after', seconds: value };
}
