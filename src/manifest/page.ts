import { objectTables } from './fields/objects.ts';
import { type Field, type Rows, fieldTables } from './fields.ts';

const INTRO = `# Pod fields

<!-- Generated from src/manifest/fields.ts by scripts/generate-docs: change the table, not this page. -->

Every field of a Kubernetes 1.36 Pod, and of the ConfigMaps and Secrets it is configured by, and what minirt does with it.

| status | meaning |
|---|---|
| supported | acts as in Kubernetes; of an object, see its own table |
| not yet | refused with \`not yet supported\`, never ignored, unless the value changes nothing; the area that will bring it follows |
| no meaning | accepted and shown, without an effect on a single host |
| refused | cannot work on a single host; the note is what the error says |

"Fine" are values that change nothing and are accepted whatever the status, as are empty lists and maps and \`null\`.
A field that stands in no table is an unknown field: an error that names the nearest one (\`--validate warn\` and
\`--validate ignore\` are for manifests of other versions).
`;

/** docs/pod-fields.md, as text. Pure; a test holds the file against it. */
export function podFieldsPage(): string {
  const tables = reachable('Pod', ...Object.keys(objectTables)).map((name) => section(name, fieldTables[name] ?? {}));
  return [INTRO, ...tables].join('\n');
}

/** The tables in the order in which a reader meets them, the most general first. */
function reachable(...first: string[]): readonly string[] {
  const found = [...first];
  for (const name of found) {
    for (const { type } of Object.values(fieldTables[name] ?? {})) {
      const inner = type.replace(/^(\[\]|map\[string\])/, '');
      if (Object.hasOwn(fieldTables, inner) && !found.includes(inner)) found.push(inner);
    }
  }
  return found;
}

function section(name: string, rows: Rows): string {
  const lines = Object.entries(rows).map(([field, row]) => {
    return `| \`${field}\` | \`${row.type}\` | ${status(row)} | ${notes(row)} |`;
  });
  return [`## ${name}`, '', '| field | type | status | notes |', '|---|---|---|---|', ...lines, ''].join('\n');
}

function status({ status: word, area }: Field): string {
  const words = word.replace('-', ' ');
  return area === undefined ? words : `${words}: ${area}`;
}

function notes(row: Field): string {
  const code = (value: unknown): string =>
    `\`${typeof value === 'string' && value !== '' ? value : JSON.stringify(value)}\``;
  const fine = row.neutral.filter((value) => value !== '');
  const parts = [
    row.note === '' ? '' : /[.!]$/.test(row.note) ? row.note : `${row.note}.`,
    row.values === undefined ? '' : `One of ${row.values.map(code).join(', ')}.`,
    row.preset === undefined ? '' : `Default ${code(row.preset)}.`,
    row.status === 'supported' || row.status === 'no-meaning' || fine.length === 0
      ? ''
      : `Fine: ${fine.map(code).join(', ')}.`,
  ];
  const text = parts.filter((part) => part !== '').join(' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}
