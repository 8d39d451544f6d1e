import type { Verb } from './verb.ts';

export interface VerbEntry {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly summary: string;
  /** Not in the list of verbs: another name of one that is. */
  readonly hidden?: boolean;
  /** Undefined: cli.md names it, this version does not do it. */
  readonly load: (() => Promise<{ readonly verb: Verb<never> }>) | undefined;
}

const later = (name: string, aliases: readonly string[] = []): VerbEntry => ({
  name,
  aliases,
  summary: 'not yet supported',
  load: undefined,
});

/** Every verb. A module is loaded only for the verb that was called: start-up time is felt at every prompt. */
export const verbs: readonly VerbEntry[] = [
  {
    name: 'run',
    summary: 'run the pods of a manifest, in the foreground or with -d',
    load: () => import('./verbs/run.ts'),
  },
  {
    name: 'create',
    summary: 'hand the pods of a manifest to the supervisor and return',
    load: () => import('./verbs/create.ts'),
  },
  {
    name: 'apply',
    summary: 'create what a manifest has, and change ConfigMaps and Secrets in place',
    load: () => import('./verbs/apply.ts'),
  },
  { name: 'get', summary: 'list pods, events, ConfigMaps or Secrets', load: () => import('./verbs/get.ts') },
  { name: 'ps', hidden: true, summary: 'the same as `get pods`', load: () => import('./verbs/ps.ts') },
  {
    name: 'describe',
    summary: 'a pod in detail, with its hooks and events',
    load: () => import('./verbs/describe.ts'),
  },
  { name: 'exec', summary: 'run a command in a container', load: () => import('./verbs/exec.ts') },
  {
    name: 'port-forward',
    summary: 'lead ports of this host to ports within a pod',
    load: () => import('./verbs/port-forward.ts'),
  },
  { name: 'logs', aliases: ['log'], summary: 'what a container printed', load: () => import('./verbs/logs.ts') },
  {
    name: 'stop',
    summary: 'end pods gracefully and keep their state, logs and events',
    load: () => import('./verbs/stop.ts'),
  },
  { name: 'delete', summary: 'end pods gracefully and remove them', load: () => import('./verbs/delete.ts') },
  { name: 'rm', hidden: true, summary: 'the same as `delete pod`', load: () => import('./verbs/rm.ts') },
  { name: 'events', summary: 'what happened to pods', load: () => import('./verbs/events.ts') },
  { name: 'top', summary: 'what pods use of CPU and memory', load: () => import('./verbs/top.ts') },
  { name: 'images', summary: 'list images', load: () => import('./verbs/images.ts') },
  { name: 'login', summary: 'keep credentials for a registry', load: () => import('./verbs/login.ts') },
  { name: 'logout', summary: 'forget credentials for a registry', load: () => import('./verbs/logout.ts') },
  { name: 'pull', summary: 'bring an image from a registry', load: () => import('./verbs/pull.ts') },
  {
    name: 'load',
    summary: 'bring an image in: OCI layout or docker archive, or a recipe',
    load: () => import('./verbs/load.ts'),
  },
  {
    name: 'import',
    summary: 'make an image of a root filesystem in a tar file',
    load: () => import('./verbs/import.ts'),
  },
  { name: 'inspect', summary: 'an image in detail', load: () => import('./verbs/inspect.ts') },
  { name: 'tag', summary: 'give an image one more name', load: () => import('./verbs/tag.ts') },
  {
    name: 'save',
    summary: 'write images to an archive that other tools read',
    load: () => import('./verbs/save.ts'),
  },
  { name: 'rmi', summary: 'remove images, or names of them', load: () => import('./verbs/rmi.ts') },
  {
    name: 'prune',
    summary: 'remove images without a name, and what is kept of deleted pods',
    load: () => import('./verbs/prune.ts'),
  },
  { name: 'demo', summary: "play the tutorial of Kubernetes' lifecycle hooks", load: () => import('./verbs/demo.ts') },
  {
    name: 'doctor',
    summary: 'check the host, and look for what was left behind',
    load: () => import('./verbs/doctor.ts'),
  },
  { name: 'serve', summary: 'the supervisor in the foreground', load: () => import('./verbs/serve.ts') },
  { name: 'info', summary: 'where things are kept, and how many', load: () => import('./verbs/info.ts') },
  { name: 'version', summary: 'the version', load: () => import('./verbs/version.ts') },
  ...['attach', 'cp', 'start', 'wait', 'timeline', 'rehearse', 'explain'].map((name) => later(name)),
  ...['completion'].map((name) => later(name)),
];

export function findVerb(word: string): VerbEntry | undefined {
  return verbs.find((entry) => entry.name === word || (entry.aliases?.includes(word) ?? false));
}
