/** Kubernetes' rules for names, each with its own words (apimachinery pkg/util/validation). Every check returns complaints. */
import { Buffer } from 'node:buffer';

type Complaints = readonly string[];

const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`;
const SEARCH_LABEL = '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?';
const SEARCH = `${SEARCH_LABEL}(\\.${SEARCH_LABEL})*`;
const QUALIFIED = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const VALUE = `(${QUALIFIED})?`;

const labelExpression = new RegExp(`^${LABEL}$`);
const searchExpression = new RegExp(`^${SEARCH_LABEL}$`);
const qualifiedExpression = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
// Checked label by label: the written-out expression backtracks.
const isSubdomain = (text: string): boolean => text.split('.').every((label) => labelExpression.test(label));

const quoted = (examples: readonly string[]): string =>
  examples
    .map((example) => `'${example}'`)
    .join(', or ')
    .replaceAll(', or', ',  or');

function hint(rule: string, examples: readonly string[], expression: string): string {
  return `${rule} (e.g. ${quoted(examples)}, regex used for validation is '${expression}')`;
}

const tooLong = (text: string, most: number): Complaints =>
  Buffer.byteLength(text) > most ? [`must be no more than ${most} characters`] : [];

/** DNS-1123 label: names of containers, namespaces, hostnames. */
export function labelComplaints(text: string): Complaints {
  const rule =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character";
  return [...tooLong(text, 63), ...(labelExpression.test(text) ? [] : [hint(rule, ['my-name', '123-abc'], LABEL)])];
}

/** DNS-1123 subdomain: names of pods. */
export function subdomainComplaints(text: string): Complaints {
  const rule =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";
  return [...tooLong(text, 253), ...(isSubdomain(text) ? [] : [hint(rule, ['example.com'], SUBDOMAIN)])];
}

/** A DNS-1123 subdomain with underscores: what resolvers may search in. */
export function searchComplaints(text: string): Complaints {
  const rule =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character";
  const fits = text.split('.').every((label) => searchExpression.test(label));
  return [...tooLong(text, 253), ...(fits ? [] : [hint(rule, ['example.com'], SEARCH)])];
}

/** The key of a label or an annotation: `[prefix/]name`. */
export function qualifiedNameComplaints(key: string): Complaints {
  const rule =
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
  const parts = key.split('/');
  const name = parts.at(-1) ?? '';
  if (parts.length > 2) {
    const prefixed = " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
    return [hint(`a qualified name ${rule}`, ['MyName', 'my.name', '123-abc'], QUALIFIED) + prefixed];
  }
  const complaints: string[] = [];
  const prefix = parts.length === 2 ? parts[0] : undefined;
  if (prefix === '') complaints.push('prefix part must be non-empty');
  else if (prefix !== undefined) complaints.push(...subdomainComplaints(prefix).map((one) => `prefix part ${one}`));
  if (name === '') complaints.push('name part must be non-empty');
  complaints.push(...tooLong(name, 63).map((one) => `name part ${one}`));
  if (!qualifiedExpression.test(name)) {
    complaints.push(`name part ${hint(rule, ['MyName', 'my.name', '123-abc'], QUALIFIED)}`);
  }
  return complaints;
}

export function labelValueComplaints(value: string): Complaints {
  const rule =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
  return [
    ...tooLong(value, 63),
    ...(value === '' || qualifiedExpression.test(value) ? [] : [hint(rule, ['MyValue', 'my_value', '12345'], VALUE)]),
  ];
}

/** A key of a ConfigMap or a Secret (IsConfigMapKey). */
export function configKeyComplaints(key: string): Complaints {
  const rule = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'";
  const dots = key === '.' ? ["must not be '.'"] : key === '..' ? ["must not be '..'"] : [];
  const start = key.startsWith('..') && key !== '..' ? ["must not start with '..'"] : [];
  const form = /^[-._a-zA-Z0-9]+$/.test(key)
    ? []
    : [hint(rule, ['key.name', 'KEY_NAME', 'key-name'], '[-._a-zA-Z0-9]+')];
  return [...tooLong(key, 253), ...form, ...dots, ...start];
}

/** Relaxed rule, GA: any printable ASCII except `=`. */
export function envNameComplaints(name: string): Complaints {
  return /^[ -<>-~]+$/.test(name)
    ? []
    : ["a valid environment variable name must consist only of printable ASCII characters other than '='"];
}

/** IANA service name, as names of ports are. */
export function portNameComplaints(name: string): Complaints {
  const complaints: string[] = [...tooLong(name, 15)];
  if (!/^[-a-z0-9]+$/.test(name)) {
    complaints.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  }
  if (!/[a-z]/.test(name)) complaints.push('must contain at least one letter (a-z)');
  if (name.includes('--')) complaints.push('must not contain consecutive hyphens');
  if (name.startsWith('-') || name.endsWith('-')) complaints.push('must not begin or end with a hyphen');
  return complaints;
}

/** The name of an HTTP header (IsHTTPHeaderName). */
export function headerNameComplaints(name: string): Complaints {
  const rule = "a valid HTTP header must consist of alphanumeric characters or '-'";
  return /^[-A-Za-z0-9]+$/.test(name) ? [] : [hint(rule, ['X-Header-Name'], '[-A-Za-z0-9]+')];
}
