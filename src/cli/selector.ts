import { usage } from './verb.ts';

type Test = (labels: Readonly<Record<string, string>>) => boolean;

/** A label selector of kubectl: `a=b,c!=d,e in (f,g),h notin (i),j,!k`. Throws a usage error on anything else. */
export function parseSelector(text: string): Test {
  const tests = split(text).map(requirement);
  return (labels) => tests.every((test) => test(labels));
}

/** At commas that are not within parentheses. */
function split(text: string): readonly string[] {
  return text.split(/,(?![^(]*\))/).map((part) => part.trim());
}

function requirement(part: string): Test {
  const set = /^([\w./-]+)\s+(in|notin)\s+\(([^()]*)\)$/.exec(part);
  if (set !== null) {
    const [, key = '', operator, list = ''] = set;
    const values = list.split(',').map((value) => value.trim());
    const within: Test = (labels) => labels[key] !== undefined && values.includes(labels[key]);
    return operator === 'in' ? within : (labels) => !within(labels);
  }
  const equality = /^([\w./-]+)\s*(==|!=|=)\s*([\w.-]*)$/.exec(part);
  if (equality !== null) {
    const [, key = '', operator, value] = equality;
    return operator === '!=' ? (labels) => labels[key] !== value : (labels) => labels[key] === value;
  }
  const presence = /^(!?)\s*([\w./-]+)$/.exec(part);
  if (presence === null) throw usage(`selector: cannot understand "${part}"`, 'for example app=web,tier!=db');
  const [, not, key = ''] = presence;
  return not === '!' ? (labels) => labels[key] === undefined : (labels) => labels[key] !== undefined;
}
