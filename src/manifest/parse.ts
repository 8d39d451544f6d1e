/** Text in, pods or problems out. Pure: no file is read and nothing is looked up. */
import { MinirtError } from '../base/errors.ts';
import { buildPod } from './build.ts';
import { withDefaults, without, withoutServerFields } from './defaults.ts';
import { type Stance, decode } from './decode.ts';
import { fieldTables } from './fields.ts';
import { kindOf, templateOf, textAt } from './kinds.ts';
import { type MapNode, type Node, type Path, fromValue, typeName } from './node.ts';
import { type Claim, type ObjectKind, type StoredObject, buildClaim, buildConfigMap, buildSecret } from './objects.ts';
import type { Pod, V1Pod } from './pod.ts';
import { type Findings, type Problem, type Report, newReport, placesOf, printable } from './problem.ts';
import { claimsOfSet, podOfSet } from './stateful-set.ts';
import { validateClaim, validateConfigMap, validateSecret } from './validate-objects.ts';
import { withoutTokenVolume } from './token-volume.ts';
import { validatePod } from './validate.ts';
import { readDocuments } from './yaml.ts';

export { type Problem, formatProblem, manifestError } from './problem.ts';

export interface ParseOptions {
  /** For messages only. */
  readonly file: string;
  /**
   * What unknown fields and fields that are not yet supported are: `strict` problems, `warn` notices (and dropped),
   * `ignore` dropped. Everything else stays a problem.
   */
  readonly validate: Stance;
}

export interface Parsed {
  /** Empty when there are problems. */
  readonly pods: readonly Pod[];
  /** ConfigMaps, Secrets and claims; empty when there are problems. */
  readonly objects: readonly StoredObject[];
  /** Claims of pods of StatefulSets: made when they are missing, and left when the pod goes. Empty when there are problems. */
  readonly claims: readonly Claim[];
  readonly problems: readonly Problem[];
  /** Lines for the user, without an end of line. */
  readonly notices: readonly string[];
}

interface Reading {
  readonly findings: Findings;
  readonly validate: Stance;
  readonly pods: Pod[];
  readonly objects: StoredObject[];
  readonly claims: Claim[];
  readonly skipped: string[];
  /** kind/namespace/name of every object so far. */
  readonly seen: Set<string>;
}

/** Reads every Pod of a manifest (YAML or JSON, several documents, Lists), and what configures them. Never throws for what a text may hold. */
export function parseManifest(text: string, options: ParseOptions): Parsed {
  const findings: Findings = { file: options.file, places: placesOf(text), problems: [], notices: [] };
  const reading: Reading = {
    findings,
    validate: options.validate,
    pods: [],
    objects: [],
    claims: [],
    skipped: [],
    seen: new Set(),
  };
  const { roots, flaws } = readDocuments(text);
  const whole = newReport(findings, fromValue(null), []);
  for (const { path, message, at } of flaws) whole.problem(path, message, at);
  for (const root of roots) readObject(reading, root, []);
  const { problems, notices } = findings;
  if (problems.length === 0 && reading.pods.length === 0 && reading.objects.length === 0) {
    const found = reading.skipped.length === 0 ? 'is empty' : `has only ${reading.skipped.join(', ')}`;
    whole.problem([], `nothing to run: minirt runs pods, and this manifest ${found}`, 0);
  }
  problems.sort((a, b) => a.line - b.line || a.column - b.column);
  if (problems.length > 0) return { pods: [], objects: [], claims: [], problems, notices };
  const { pods, objects, claims } = reading;
  return { pods, objects, claims, problems, notices };
}

/**
 * The internal Pod of a stored v1 Pod (that is, of `Pod.object`); what only a server sets (uid, status, …) stays in it.
 * @throws MinirtError `manifest.invalid` when it is no Pod that minirt can run.
 */
export function podFromObject(object: unknown): Pod {
  const findings: Findings = { file: '', places: () => ({ line: 1, column: 1 }), problems: [], notices: [] };
  const root = fromValue(object);
  const report = newReport(findings, root, []);
  const written = root.kind === 'map' && kindOf(root, report) === 'pod' ? readPod(root, report, 'strict') : undefined;
  const { problems } = findings;
  if (written !== undefined && problems.length === 0) return buildPod(withDefaults(written));
  const complaints = problems.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`));
  const why = complaints.length === 0 ? 'not a v1 Pod' : complaints.join('; ');
  throw new MinirtError('manifest.invalid', `read stored pod: ${why}`, { details: { problems } });
}

/** Decodes and checks; the object as written, less what `stance` drops. Trust it only when nothing was reported. */
function readPod(root: MapNode, report: Report, stance: Stance): V1Pod {
  const { value, dropped } = decode(withoutTokenVolume(root, report), fieldTables['Pod'] ?? {}, report, stance);
  const pod = value as V1Pod; // the table is Kubernetes' own shape: a test holds it against kubernetes-types
  validatePod(pod, report);
  return without(pod, dropped);
}

function readObject(reading: Reading, root: Node, prefix: Path): void {
  const report = newReport(reading.findings, root, prefix);
  if (root.kind !== 'map') {
    const wanted = 'an object with apiVersion, kind, metadata and spec';
    report.problem([], `Invalid value: "${typeName(root)}": a manifest is ${wanted}`);
    return;
  }
  const kind = kindOf(root, report);
  switch (kind) {
    case 'pod':
      addPod(reading, root, report);
      break;
    case 'list':
      readList(reading, root, prefix);
      break;
    case 'ConfigMap':
    case 'Secret':
    case 'PersistentVolumeClaim':
      addObject(reading, kind, root, prefix);
      break;
    case 'workload':
      addTemplate(reading, root, prefix);
      break;
    case 'other': {
      const name = nameOf(root);
      reading.skipped.push(name);
      reading.findings.notices.push(printable(`skipped ${name}: minirt runs pods`));
      break;
    }
    case 'broken':
      break;
  }
}

function readList(reading: Reading, root: MapNode, prefix: Path): void {
  const items = root.entries.get('items')?.node;
  if (items?.kind === 'list') {
    items.items.forEach((item, i) => {
      readObject(reading, item, [...prefix, 'items', i]);
    });
    return;
  }
  const report = newReport(reading.findings, root, prefix);
  if (items === undefined) report.problem(['items'], 'Required value');
  else report.problem(['items'], `Invalid value: "${typeName(items)}": must be of type array`);
}

function addPod(reading: Reading, root: MapNode, report: Report): void {
  const { problems } = reading.findings;
  const before = problems.length;
  const written = readPod(root, report, reading.validate);
  if (problems.length > before) return;
  const pod = buildPod(withDefaults(withoutServerFields(written)));
  if (isNew(reading, 'Pod', pod, report)) reading.pods.push(pod);
}

/** One pod of a Deployment and its like, whatever number of replicas it asks for. */
function addTemplate(reading: Reading, root: MapNode, prefix: Path): void {
  const name = nameOf(root);
  const written = templateOf(root);
  const isSet = textAt(root, 'kind') === 'StatefulSet';
  const template = isSet && written !== undefined ? podOfSet(root, written) : written;
  if (template === undefined) {
    newReport(reading.findings, root, prefix).problem(['spec', 'template'], 'Required value');
    return;
  }
  const report = newReport(reading.findings, template.root, [...prefix, ...template.path]);
  const before = reading.pods.length;
  addPod(reading, template.root, report);
  for (const claim of isSet ? claimsOfSet(root) : []) {
    const kept = readStored(reading, 'PersistentVolumeClaim', claim.root, [...prefix, ...claim.path]);
    if (kept?.kind === 'PersistentVolumeClaim') reading.claims.push(kept);
  }
  const [pod] = reading.pods.slice(before);
  if (pod !== undefined) reading.findings.notices.push(printable(`${name}: runs as one pod, pod/${pod.name}`));
}

/** How an object of each kind is checked, and made of what was written. */
const objectReaders: Readonly<
  Record<ObjectKind, { validate: (value: object, report: Report) => void; build: (value: object) => StoredObject }>
> = {
  ConfigMap: { validate: validateConfigMap, build: buildConfigMap },
  Secret: { validate: validateSecret, build: buildSecret },
  PersistentVolumeClaim: { validate: validateClaim, build: buildClaim },
};

function addObject(reading: Reading, kind: ObjectKind, root: MapNode, prefix: Path): void {
  const object = readStored(reading, kind, root, prefix);
  if (object !== undefined) reading.objects.push(object);
}

/** An object as it is to be kept; undefined when something is wrong with it, which has then been reported. */
function readStored(reading: Reading, kind: ObjectKind, root: MapNode, prefix: Path): StoredObject | undefined {
  const report = newReport(reading.findings, root, prefix);
  const { problems } = reading.findings;
  const before = problems.length;
  const { value, dropped } = decode(root, fieldTables[kind] ?? {}, report, reading.validate);
  const { validate, build } = objectReaders[kind];
  validate(value, report);
  if (problems.length > before) return undefined;
  const object = build(withoutServerFields(without(value, dropped)));
  return isNew(reading, kind, object, report) ? object : undefined;
}

/** Reports a second object of the same kind and name. */
function isNew(
  { seen }: Reading,
  kind: string,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  report: Report,
): boolean {
  const key = `${kind}/${namespace}/${name}`;
  const known = seen.has(key);
  if (known) report.problem(['metadata', 'name'], `Duplicate value: ${JSON.stringify(name)}`);
  seen.add(key);
  return !known;
}

/** `Service/web` */
function nameOf(root: MapNode): string {
  return [textAt(root, 'kind'), textAt(root, 'metadata', 'name')].filter((part) => part !== '').join('/');
}
