/** Text in, pods or problems out. Pure: no file is read and nothing is looked up. */
import { MinirtError } from '../base/errors.ts';
import { buildPod } from './build.ts';
import { withDefaults, without, withoutServerFields } from './defaults.ts';
import { type Stance, decode } from './decode.ts';
import { fieldTables } from './fields.ts';
import { nearest } from '../base/nearest.ts';
import { type MapNode, type Node, type Path, fromValue, toValue, typeName } from './node.ts';
import type { Pod, V1Pod } from './pod.ts';
import { type Findings, type Problem, type Report, newReport, placesOf, printable } from './problem.ts';
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
  readonly problems: readonly Problem[];
  /** Lines for the user, without an end of line. */
  readonly notices: readonly string[];
}

interface Reading {
  readonly findings: Findings;
  readonly validate: Stance;
  readonly pods: Pod[];
  readonly skipped: string[];
  /** namespace/name of every pod so far. */
  readonly seen: Set<string>;
}

/** Reads every Pod of a manifest (YAML or JSON, several documents, Lists). Never throws for what a text may hold. */
export function parseManifest(text: string, options: ParseOptions): Parsed {
  const findings: Findings = { file: options.file, places: placesOf(text), problems: [], notices: [] };
  const reading: Reading = { findings, validate: options.validate, pods: [], skipped: [], seen: new Set() };
  const { roots, flaws } = readDocuments(text);
  const whole = newReport(findings, fromValue(null), []);
  for (const { path, message, at } of flaws) whole.problem(path, message, at);
  for (const root of roots) readObject(reading, root, []);
  const { problems, notices } = findings;
  if (problems.length === 0 && reading.pods.length === 0) {
    const found = reading.skipped.length === 0 ? 'is empty' : `has only ${reading.skipped.join(', ')}`;
    whole.problem([], `nothing to run: minirt runs pods, and this manifest ${found}`, 0);
  }
  problems.sort((a, b) => a.line - b.line || a.column - b.column);
  return { pods: problems.length === 0 ? reading.pods : [], problems, notices };
}

/**
 * The internal Pod of a stored v1 Pod (that is, of `Pod.object`); what only a server sets (uid, status, …) stays in it.
 * @throws MinirtError `manifest.invalid` when it is no Pod that minirt can run.
 */
export function podFromObject(object: unknown): Pod {
  const findings: Findings = { file: '', places: () => ({ line: 1, column: 1 }), problems: [], notices: [] };
  const root = fromValue(object);
  const report = newReport(findings, root, []);
  const written = root.kind === 'map' && whatIsIt(root, report) === 'pod' ? readPod(root, report, 'strict') : undefined;
  const { problems } = findings;
  if (written !== undefined && problems.length === 0) return buildPod(withDefaults(written));
  const complaints = problems.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`));
  const why = complaints.length === 0 ? 'not a v1 Pod' : complaints.join('; ');
  throw new MinirtError('manifest.invalid', `read stored pod: ${why}`, { details: { problems } });
}

/** Decodes and checks; the object as written, less what `stance` drops. Trust it only when nothing was reported. */
function readPod(root: MapNode, report: Report, stance: Stance): V1Pod {
  const { value, dropped } = decode(root, fieldTables['Pod'] ?? {}, report, stance);
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
  switch (whatIsIt(root, report)) {
    case 'pod':
      addPod(reading, root, report);
      break;
    case 'list':
      readList(reading, root, prefix);
      break;
    case 'other': {
      const name = [scalarAt(root, 'kind'), scalarAt(root, 'metadata', 'name')].filter((part) => part !== '').join('/');
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
  const name = `${pod.namespace}/${pod.name}`;
  if (reading.seen.has(name)) {
    report.problem(['metadata', 'name'], `Duplicate value: ${JSON.stringify(pod.name)}`);
    return;
  }
  reading.seen.add(name);
  reading.pods.push(pod);
}

/** Judges by `apiVersion` and `kind` alone, and reports when these are missing or nearly right. */
function whatIsIt(root: MapNode, report: Report): 'pod' | 'list' | 'other' | 'broken' {
  let broken = false;
  for (const field of ['apiVersion', 'kind']) {
    const node = root.entries.get(field)?.node ?? fromValue(null);
    const value = toValue(node);
    if (typeof value === 'string' && value !== '') continue;
    broken = true;
    if (value === null || value === '') {
      const alike = nearest(
        field,
        [...root.entries.keys()].filter((key) => key !== field),
      );
      report.problem([field], `Required value${alike === undefined ? '' : `; is ${JSON.stringify(alike)} meant?`}`);
    } else report.problem([field], `Invalid value: "${typeName(node)}": must be of type string`);
  }
  if (broken) return 'broken';
  const [version, kind] = [scalarAt(root, 'apiVersion'), scalarAt(root, 'kind')];
  if (version === 'v1' && kind === 'Pod') return 'pod';
  if (version === 'v1' && (kind === 'List' || kind === 'PodList')) return 'list';
  if (!['pod', 'pods'].includes(kind.toLowerCase())) return 'other';
  const at = version === 'v1' ? 'kind' : 'apiVersion';
  const known = 'minirt knows kind "Pod" in version "v1"';
  report.problem([at], `no matches for kind ${JSON.stringify(kind)} in version ${JSON.stringify(version)}; ${known}`);
  return 'broken';
}

/** The text at a path of fields; empty when there is none. */
function scalarAt(root: Node, ...path: readonly string[]): string {
  let node: Node | undefined = root;
  for (const name of path) node = node?.kind === 'map' ? node.entries.get(name)?.node : undefined;
  return node?.kind === 'scalar' && typeof node.value === 'string' ? node.value : '';
}
