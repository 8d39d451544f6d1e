import { Buffer } from 'node:buffer';
import type { ConfigObject } from '../../manifest/objects.ts';
import type { Output } from '../output.ts';
import { layOut, table } from './columns.ts';
import { asJson, asYaml, listOf } from './document.ts';
import { age } from './duration.ts';
import { Lines } from './lines.ts';

export interface ObjectTable {
  /** False: without the heading. */
  readonly headers: boolean;
  /** Whether there is a column for the namespace. */
  readonly namespaces: boolean;
  /** The only one that was named, which is printed as itself and not as a list. */
  readonly one: boolean;
}

/** ConfigMaps or Secrets as `kubectl get` prints them. */
export async function objectsText(objects: readonly ConfigObject[], output: Output, how: ObjectTable): Promise<string> {
  const [first] = objects;
  const document = how.one && first !== undefined ? first.object : listOf(objects.map(({ object }) => object));
  switch (output.kind) {
    case 'json':
      return asJson(document);
    case 'yaml':
      return asYaml(document);
    case 'jsonpath':
      return output.print(document);
    case 'name':
      return objects.map(({ kind, name }) => `${kind.toLowerCase()}/${name}\n`).join('');
    case 'table': {
      const type = first?.kind === 'Secret' ? ['TYPE'] : [];
      const heading = [...(how.namespaces ? ['NAMESPACE'] : []), 'NAME', ...type, 'DATA', 'AGE'];
      const rows = objects.map((one) => [...(how.namespaces ? [one.namespace] : []), ...row(one)]);
      return table(how.headers ? heading : undefined, rows);
    }
    default:
      return output satisfies never;
  }
}

function row(one: ConfigObject): readonly string[] {
  const since = age(one.object.metadata?.creationTimestamp, new Date());
  const keys = Object.keys(one.data).length;
  if (one.kind === 'Secret') return [one.name, one.type, String(keys), since];
  return [one.name, String(keys + Object.keys(one.binaryData).length), since];
}

/** `kubectl describe configmap`, or `secret`, of which sizes alone are shown (kubectl pkg/describe). */
export function describeObject(one: ConfigObject): string {
  const lines = new Lines();
  lines.add(0, 'Name:', one.name);
  lines.add(0, 'Namespace:', one.namespace);
  const { labels = {}, annotations = {} } = one.object.metadata ?? {};
  addMap(lines, 'Labels:', labels, '=');
  addMap(lines, 'Annotations:', annotations, ': ');
  const head = layOut(lines.all);
  return one.kind === 'Secret' ? `${head}\nType:  ${one.type}\n\n${secretData(one)}` : `${head}\n${mapData(one)}`;
}

function addMap(lines: Lines, title: string, map: Readonly<Record<string, string>>, between: string): void {
  const pairs = Object.entries(map).toSorted(([a], [b]) => (a < b ? -1 : 1));
  if (pairs.length === 0) lines.add(0, title, '<none>');
  pairs.forEach(([key, value], i) => {
    lines.add(0, i === 0 ? title : '', `${key}${between}${value}`);
  });
}

function secretData({ data }: Extract<ConfigObject, { kind: 'Secret' }>): string {
  const lines = new Lines();
  for (const key of Object.keys(data).toSorted()) lines.add(0, `${key}:`, sizeOf(data[key] ?? ''));
  return `Data\n====\n${layOut(lines.all)}`;
}

function mapData({ data, binaryData }: Extract<ConfigObject, { kind: 'ConfigMap' }>): string {
  const texts = Object.keys(data).toSorted();
  const bytes = Object.keys(binaryData).toSorted();
  const text = texts.map((key) => `${key}:\n----\n${printable(data[key] ?? '')}\n\n`).join('');
  const binary = bytes.map((key) => `${key}: ${sizeOf(binaryData[key] ?? '')}\n`).join('');
  return `Data\n====\n${text}\nBinaryData\n====\n${binary}\nEvents:  <none>\n`;
}

function sizeOf(base64: string): string {
  return `${Buffer.from(base64, 'base64').length} bytes`;
}

/** Lines stay; nothing else may move the cursor. */
function printable(text: string): string {
  return text.replaceAll(/[^\P{Cc}\n\t]/gu, '');
}
