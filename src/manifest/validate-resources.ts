/** Kubernetes' rules for resources (pkg/apis/core/validation: validateResourceRequirements, validatePodResources). */
import type { ResourceRequirements } from 'kubernetes-types/core/v1.js';
import { containersTogether, isOfPods } from './default-resources.ts';
import * as names from './names.ts';
import type { NewerPodSpec } from './newer.ts';
import type { Path } from './node.ts';
import { type Report, complain } from './problem.ts';
import { canonical, nanos } from './quantity.ts';
import {
  isExtended,
  isHugePages,
  isNative,
  isOfContainers,
  isStandard,
  overcommits,
  pageSize,
} from './resource-name.ts';

const WHOLE = 1_000_000_000n;

export function validateResources(resources: ResourceRequirements | undefined, path: Path, report: Report): void {
  validateRequirements(resources ?? {}, path, { report, name: validateContainerName });
}

/** What is said of the whole pod must hold what its containers say. */
export function validatePodResources(spec: NewerPodSpec, path: Path, report: Report): void {
  const { resources } = spec;
  if (resources === undefined) return;
  validateRequirements(resources, path, { report, name: validatePodName });
  const { limits = {}, requests = {} } = resources;
  for (const [name, sum] of sortedEntries(containersTogether(spec, 'requests'))) {
    const own = requests[name];
    if (own === undefined || nanos(sum) <= nanos(own)) continue;
    const why = `must be greater than or equal to aggregate container requests of ${sum}`;
    complain(report, [...path, 'requests', { key: name }], canonical(own), [why]);
  }
  for (const [name, sum] of sortedEntries(containersTogether(spec, 'limits'))) {
    const own = limits[name];
    if (!isHugePages(name) || own === undefined || nanos(sum) <= nanos(own)) continue;
    const why = `must be greater than or equal to aggregate container limits of ${sum}`;
    complain(report, [...path, 'limits', { key: name }], canonical(own), [why]);
  }
  spec.containers.forEach((container, i) => {
    for (const [name, limit] of sortedEntries(container.resources?.limits ?? {})) {
      const own = limits[name];
      if (own === undefined || nanos(limit) <= nanos(own)) continue;
      const at = ['spec', 'containers', i, 'resources', 'limits', { key: name }];
      complain(report, at, canonical(limit), [`must be less than or equal to pod limits of ${canonical(own)}`]);
    }
  });
}

interface Rules {
  readonly report: Report;
  readonly name: (name: string, amount: string, path: Path, report: Report) => void;
}

function validateRequirements({ limits = {}, requests = {} }: ResourceRequirements, path: Path, rules: Rules): void {
  const { report } = rules;
  for (const [kind, amounts] of Object.entries({ limits, requests })) {
    for (const [name, amount] of sortedEntries(amounts)) {
      validateAmount(name, amount, [...path, kind, { key: name }], rules);
    }
  }
  for (const [name, request] of sortedEntries(requests)) {
    const limit = limits[name];
    if (limit !== undefined) {
      const [asked, most] = [nanos(request), nanos(limit)];
      const must =
        !overcommits(name) && asked !== most ? 'equal to' : asked > most ? 'less than or equal to' : undefined;
      const why = `must be ${must ?? ''} ${name} limit of ${canonical(limit)}`;
      if (must !== undefined) complain(report, [...path, 'requests'], canonical(request), [why]);
    } else if (!overcommits(name)) {
      report.problem([...path, 'limits'], 'Required value: Limit must be set for non overcommitable resources');
    }
  }
  const asked = [...Object.keys(limits), ...Object.keys(requests)];
  if (asked.some(isHugePages) && !asked.includes('cpu') && !asked.includes('memory')) {
    report.problem(path, 'Forbidden: HugePages require cpu or memory');
  }
}

function validateAmount(name: string, amount: string, path: Path, rules: Rules): void {
  const { report } = rules;
  rules.name(name, amount, path, report);
  const size = nanos(amount);
  if (size < 0n) complain(report, path, canonical(amount), ['must be greater than or equal to 0']);
  if (isExtended(name) && size % WHOLE !== 0n) complain(report, path, canonical(amount), ['must be an integer']);
  if (!isHugePages(name)) return;
  const page = pageSize(name);
  if (page !== undefined && size % (page * WHOLE) === 0n) return;
  complain(report, path, canonical(amount), [`${canonical(amount)} is not positive integer multiple of ${name}`]);
}

function validateContainerName(name: string, amount: string, path: Path, report: Report): void {
  const complaints = names.qualifiedNameComplaints(name);
  complain(report, path, name, complaints);
  if (complaints.length > 0) return;
  if (!name.includes('/')) {
    if (!isStandard(name)) complain(report, path, name, ['must be a standard resource type or fully qualified']);
    if (!isOfContainers(name)) complain(report, path, name, ['must be a standard resource for containers']);
  } else if (!isNative(name) && !isExtended(name)) {
    complain(report, path, name, ["doesn't follow extended resource name standard"]);
  } else if (nanos(amount) > 0n) {
    // A scheduler's words: it would look for a node with a device plugin for ever.
    report.problem(
      path,
      `Forbidden: 0/1 nodes are available: 1 Insufficient ${name}. There are no device plugins here`,
    );
  }
}

function validatePodName(name: string, _amount: string, path: Path, report: Report): void {
  const complaints = names.qualifiedNameComplaints(name);
  complain(report, path, name, complaints);
  if (complaints.length > 0) return;
  if (!name.includes('/') && !isStandard(name)) {
    return complain(report, path, name, ['must be a standard resource type or fully qualified']);
  }
  if (isOfPods(name)) return;
  report.problem(path, `Unsupported value: ${JSON.stringify(name)}: supported values: "cpu", "hugepages-", "memory"`);
}

function sortedEntries(amounts: Readonly<Record<string, string>>): readonly [string, string][] {
  return Object.entries(amounts).toSorted(([a], [b]) => (a < b ? -1 : 1));
}
