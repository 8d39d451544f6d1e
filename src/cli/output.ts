import type { V1Pod } from '../manifest/pod.ts';
import type { Io } from './io.ts';
import { GrowingTable } from './render/columns.ts';
import { asJson, asYaml, listOf } from './render/document.ts';
import { podHeading, podRow } from './render/pod-row.ts';
import { notYet, usage } from './verb.ts';

export type Output =
  | { readonly kind: 'table'; readonly wide: boolean }
  | { readonly kind: 'json' | 'yaml' | 'name' }
  | { readonly kind: 'jsonpath'; readonly print: (object: object) => string };

const LATER = /^(jsonpath-file|jsonpath-as-json|custom-columns(-file)?|(go-)?template(-?file)?)(=|$)/;

/** What `-o` asks for. */
export async function parseOutput(text: string | undefined): Promise<Output> {
  if (text === undefined || text === 'wide') return { kind: 'table', wide: text === 'wide' };
  if (text === 'json' || text === 'yaml' || text === 'name') return { kind: text };
  if (text === 'jsonpath' || text === 'jsonpath=') throw usage('template format specified but no template given');
  if (text.startsWith('jsonpath=')) {
    const { jsonPathPrinter } = await import('./render/jsonpath.ts');
    return { kind: 'jsonpath', print: jsonPathPrinter(text.slice('jsonpath='.length)) };
  }
  if (LATER.test(text)) throw notYet(`-o ${text.split('=', 1)[0] ?? ''}`);
  throw usage(
    `unable to match a printer suitable for the output format "${text}"`,
    'allowed: json, yaml, name, wide, jsonpath=TEMPLATE',
  );
}

export interface PodTable {
  /** False: without the heading. */
  readonly headers?: boolean;
  /** Whether there is a column for the namespace. */
  readonly namespaces: boolean;
}

/** Pods as text; `one`: the only one that was named, which is printed as itself and not as a list. */
export async function podsText(
  objects: readonly V1Pod[],
  output: Output,
  { one, ...how }: PodTable & { readonly one: boolean },
): Promise<string> {
  const document = one && objects[0] !== undefined ? objects[0] : listOf(objects);
  switch (output.kind) {
    case 'json':
      return asJson(document);
    case 'yaml':
      return asYaml(document);
    case 'jsonpath':
      return output.print(document);
    case 'name':
      return objects.map((object) => `${nameLine(object)}\n`).join('');
    case 'table': {
      const columns = { wide: output.wide, namespace: how.namespaces };
      const now = new Date();
      const heading = how.headers === false ? [] : [podHeading(columns)];
      return new GrowingTable().add([...heading, ...objects.map((object) => podRow(object, columns, now))]);
    }
    default:
      return output satisfies never;
  }
}

/** Prints pods one after the other, as they change: JSON as one line each, YAML as a document each. */
export function podStream({ stdout }: Io, output: Output, how: PodTable): (object: V1Pod) => Promise<void> {
  const table = new GrowingTable();
  let count = 0;
  return async (object) => {
    const first = count++ === 0;
    stdout.write(await text(object, first));
  };

  async function text(object: V1Pod, first: boolean): Promise<string> {
    switch (output.kind) {
      case 'json':
        return `${JSON.stringify(object)}\n`;
      case 'yaml':
        return `${first ? '' : '---\n'}${await asYaml(object)}`;
      case 'jsonpath':
        return output.print(object);
      case 'name':
        return `${nameLine(object)}\n`;
      case 'table': {
        const columns = { wide: output.wide, namespace: how.namespaces };
        const heading = first && how.headers !== false ? [podHeading(columns)] : [];
        return table.add([...heading, podRow(object, columns, new Date())]);
      }
      default:
        return output satisfies never;
    }
  }
}

function nameLine({ metadata }: V1Pod): string {
  return `pod/${metadata?.name ?? ''}`;
}
