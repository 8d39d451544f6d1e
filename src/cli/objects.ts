/** ConfigMaps, Secrets and claims at the command line, as kubectl shows them. */
import { MinirtError } from '../base/errors.ts';
import { type Claim, type ObjectKind, PLURAL, type StoredObject } from '../manifest/objects.ts';
import { ObjectStore } from '../objects/store.ts';
import { type PodView, listPods } from '../pod/view.ts';
import { prepareState } from '../supervisor/registry.ts';
import { say, tell } from './io.ts';
import { type Output, parseOutput } from './output.ts';
import { asJson, asYaml } from './render/document.ts';
import { describeObject, objectsText } from './render/objects.ts';
import { forEach } from './select.ts';
import { parseSelector } from './selector.ts';
import { type Context, usage } from './verb.ts';

export interface ObjectOptions {
  readonly output?: string;
  readonly selector?: string;
  readonly headers?: boolean;
  readonly watch?: boolean;
}

/** Keeps objects, in place of earlier ones of their names, and says for each what became of it. */
export async function applyObjects(
  { roots }: Context,
  objects: readonly StoredObject[],
  told: (line: string) => void,
): Promise<void> {
  if (objects.length === 0) return;
  prepareState(roots);
  const store = new ObjectStore(roots);
  for (const object of objects) told(`${word(object)} ${await store.put(object)}`);
}

/** Makes the claims that are not there yet; one that is stays as it is, whatever its StatefulSet now says. */
export async function makeClaims(
  { roots }: Context,
  claims: readonly Claim[],
  told: (line: string) => void,
): Promise<void> {
  const store = new ObjectStore(roots);
  for (const claim of claims) {
    if ((await store.claim(claim.namespace, claim.name)) === undefined)
      told(`${word(claim)} ${await store.put(claim)}`);
  }
}

/** Keeps objects whose names are still free. */
export async function createObjects(
  { io, roots }: Context,
  objects: readonly StoredObject[],
  output?: string,
): Promise<void> {
  if (objects.length === 0) return;
  prepareState(roots);
  for (const object of await new ObjectStore(roots).create(objects)) {
    if (output === 'json') io.stdout.write(asJson(object.object));
    else if (output === 'yaml') io.stdout.write(await asYaml(object.object));
    else say(io, output === 'name' ? word(object) : `${word(object)} created`);
  }
}

export async function getObjects(
  context: Context,
  kind: ObjectKind,
  names: readonly string[],
  options: ObjectOptions,
): Promise<number> {
  const { io, namespace, allNamespaces } = context;
  if (options.watch === true) throw usage(`${PLURAL[kind]} cannot be watched`);
  const output: Output = await parseOutput(options.output);
  const objects = await select(context, kind, names, options);
  if (output.kind === 'table' && objects.length === 0) {
    tell(io, allNamespaces ? 'No resources found' : `No resources found in ${namespace} namespace.`);
    return 0;
  }
  const how = { headers: options.headers !== false, namespaces: allNamespaces, one: names.length === 1 };
  io.stdout.write(await objectsText(objects, output, how));
  return 0;
}

export async function describeObjects(
  context: Context,
  kind: ObjectKind,
  names: readonly string[],
  options: ObjectOptions,
): Promise<number> {
  const objects = await select(context, kind, names, options);
  const texts = objects.map(async (object) => {
    const users = object.kind === 'PersistentVolumeClaim' ? await usersOf(context, object) : [];
    return describeObject(
      object,
      users.map(({ name }) => name),
    );
  });
  context.io.stdout.write((await Promise.all(texts)).join('\n\n'));
  return 0;
}

/** Removes objects; pods that use them go on with what they have. */
export async function deleteObjects(
  context: Context,
  objects: readonly Pick<StoredObject, 'kind' | 'namespace' | 'name'>[],
  options: { readonly ignoreNotFound?: boolean; readonly output?: 'name' },
): Promise<void> {
  const store = new ObjectStore(context.roots);
  await forEach(context, objects, async (object) => {
    const { kind, namespace, name } = object;
    if (kind === 'PersistentVolumeClaim') await checkUnused(context, object);
    const was = await store.remove(kind, namespace, name);
    if (!was && options.ignoreNotFound === true) return;
    if (!was) throw notFound(kind, name);
    const what = `${kind.toLowerCase()} "${name}" deleted from ${namespace} namespace`;
    say(context.io, options.output === 'name' ? word(object) : what);
  });
}

/** The named objects, or all that are selected. */
export async function select(
  { roots, namespace, allNamespaces }: Context,
  kind: ObjectKind,
  names: readonly string[],
  { selector }: Pick<ObjectOptions, 'selector'>,
): Promise<readonly StoredObject[]> {
  const store = new ObjectStore(roots);
  if (names.length > 0) {
    if (selector !== undefined) throw usage('name objects or select them, not both');
    if (allNamespaces) throw usage('a resource cannot be retrieved by name across all namespaces');
    const found = names.map(async (name) => {
      const object = await store.find(kind, namespace, name);
      if (object === undefined) throw notFound(kind, name);
      return object;
    });
    return Promise.all(found);
  }
  const isSelected = selector === undefined ? () => true : parseSelector(selector);
  const all = await store.list(kind, allNamespaces ? undefined : namespace);
  return all.filter(({ object }) => isSelected(object.metadata?.labels ?? {}));
}

/** The pods that have a volume of a claim. */
async function usersOf(
  { roots }: Context,
  { namespace, name }: Pick<StoredObject, 'namespace' | 'name'>,
): Promise<readonly PodView[]> {
  const uses = ({ object }: PodView): boolean =>
    object.spec?.volumes?.some(({ persistentVolumeClaim: claim }) => claim?.claimName === name) ?? false;
  return (await listPods(roots, namespace)).filter(uses);
}

/** A claim goes after the pods that use it, never from under them (the finalizer kubernetes.io/pvc-protection). */
async function checkUnused(context: Context, claim: Pick<StoredObject, 'namespace' | 'name'>): Promise<void> {
  const [user] = (await usersOf(context, claim)).filter(({ record }) => record.ended === undefined);
  if (user === undefined) return;
  throw new MinirtError('state.busy', `delete persistentvolumeclaim: ${claim.name}: pod ${user.name} uses it`, {
    hint: `minirt delete pod ${user.name} -n ${user.namespace}`,
  });
}

function notFound(kind: ObjectKind, name: string): MinirtError {
  return new MinirtError('object.not-found', `${PLURAL[kind]} ${JSON.stringify(name)} not found`);
}

function word({ kind, name }: Pick<StoredObject, 'kind' | 'name'>): string {
  return `${kind.toLowerCase()}/${name}`;
}
