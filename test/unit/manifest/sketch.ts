import { expect } from 'vitest';
import { formatProblem, parseManifest } from '../../../src/manifest/parse.ts';
import type { Pod } from '../../../src/manifest/pod.ts';

/** `line:column: path: message` of every problem. */
export function problems(text: string): readonly string[] {
  const parsed = parseManifest(text, { file: 'f', validate: 'strict' });
  if (parsed.problems.length > 0) expect(parsed.pods).toEqual([]);
  return parsed.problems.map((problem) => formatProblem(problem).slice('f:'.length));
}

/** A pod with lines of a container (from line 9, column 5 on) and of the spec after it. */
export function pod(
  container: readonly string[],
  spec: readonly string[] = [],
  metadata: readonly string[] = [],
): string {
  return [
    'apiVersion: v1',
    'kind: Pod',
    'metadata:',
    ...(metadata.length > 0 ? metadata : ['name: p']).map((line) => `  ${line}`),
    'spec:',
    '  containers:',
    '  - name: c',
    '    image: busybox:1.36',
    ...container.map((line) => `    ${line}`),
    ...spec.map((line) => `  ${line}`),
    '',
  ].join('\n');
}

export const LABEL =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
export const ENV = "a valid environment variable name must consist only of printable ASCII characters other than '='";
export const C = 'spec.containers[0]';

/** A pod whose container has `lines` (YAML, from line 9, column 5 on). */
export function podWith(lines: readonly string[], image = 'busybox:1.36'): string {
  const head = ['apiVersion: v1', 'kind: Pod', 'metadata:', '  name: p', 'spec:', '  containers:', '  - name: c'];
  return [...head, `    image: ${image}`, ...lines.map((line) => `    ${line}`), ''].join('\n');
}

/** A problem without its line and column. */
export function withoutPlace(problem: string): string {
  return problem.replace(/^\d+:\d+: /, '');
}

/** The only pod of a manifest without problems. */
export function only(text: string): Pod {
  const { pods, problems: found } = parseManifest(text, { file: 'f', validate: 'strict' });
  expect(found).toEqual([]);
  const [first] = pods;
  if (first === undefined) throw new RangeError('no pod');
  return first;
}
