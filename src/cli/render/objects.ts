import { Buffer } from 'node:buffer';
import type { Claim, ConfigMap, ObjectKind, Secret, StoredObject } from '../../manifest/objects.ts';
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

/** Objects of one kind as `kubectl get` prints them. */
export async function objectsText(objects: readonly StoredObject[], output: Output, how: ObjectTable): Promise<string> {
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
      const columns = headings[first?.kind ?? 'ConfigMap'];
      const more = output.wide && first?.kind === 'PersistentVolumeClaim' ? ['VOLUMEMODE'] : [];
      const heading = [...(how.namespaces ? ['NAMESPACE'] : []), 'NAME', ...columns, 'AGE', ...more];
      const rows = objects.map((one) => [
        ...(how.namespaces ? [one.namespace] : []),
        one.name,
        ...cells(one),
        age(one.object.metadata?.creationTimestamp, new Date()),
        ...more.map(() => 'Filesystem'),
      ]);
      return table(how.headers ? heading : undefined, rows);
    }
    default:
      return output satisfies never;
  }
}

/** Between NAME and AGE (pkg/printers/internalversion/printers.go). */
const headings: Readonly<Record<ObjectKind, readonly string[]>> = {
  ConfigMap: ['DATA'],
  Secret: ['TYPE', 'DATA'],
  PersistentVolumeClaim: ['STATUS', 'VOLUME', 'CAPACITY', 'ACCESS MODES', 'STORAGECLASS', 'VOLUMEATTRIBUTESCLASS'],
};

function cells(one: StoredObject): readonly string[] {
  if (one.kind === 'PersistentVolumeClaim') {
    const { storageClassName = '', volumeName = '', volumeAttributesClassName = '<unset>' } = one.object.spec ?? {};
    return ['Bound', volumeName, one.storage, modesText(one), storageClassName, volumeAttributesClassName];
  }
  const keys = Object.keys(one.data).length;
  if (one.kind === 'Secret') return [one.type, String(keys)];
  return [String(keys + Object.keys(one.binaryData).length)];
}

const SHORT_MODES: Readonly<Record<string, string>> = {
  ReadWriteOnce: 'RWO',
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
  ReadWriteOncePod: 'RWOP',
};

function modesText({ accessModes }: Claim): string {
  const known = Object.entries(SHORT_MODES).filter(([mode]) => accessModes.includes(mode));
  return known.map(([, short]) => short).join(',');
}

/** `kubectl describe` of an object; of a Secret sizes alone are shown (kubectl pkg/describe). `users`: pods by name. */
export function describeObject(one: StoredObject, users: readonly string[]): string {
  if (one.kind === 'PersistentVolumeClaim') return describeClaim(one, users);
  const head = layOut(headOf(one).all);
  return one.kind === 'Secret' ? `${head}\nType:  ${one.type}\n\n${secretData(one)}` : `${head}\n${mapData(one)}`;
}

function headOf(one: ConfigMap | Secret): Lines {
  const lines = new Lines();
  lines.add(0, 'Name:', one.name);
  lines.add(0, 'Namespace:', one.namespace);
  addMaps(lines, one);
  return lines;
}

function describeClaim(one: Claim, users: readonly string[]): string {
  const { storageClassName = '', volumeName = '' } = one.object.spec ?? {};
  const lines = new Lines();
  lines.add(0, 'Name:', one.name);
  lines.add(0, 'Namespace:', one.namespace);
  lines.add(0, 'StorageClass:', storageClassName);
  lines.add(0, 'Status:', 'Bound');
  lines.add(0, 'Volume:', volumeName);
  addMaps(lines, one);
  lines.add(0, 'Finalizers:', '[]');
  lines.add(0, 'Capacity:', one.storage);
  lines.add(0, 'Access Modes:', modesText(one));
  lines.add(0, 'VolumeMode:', 'Filesystem');
  (users.length === 0 ? ['<none>'] : users).forEach((user, i) => {
    lines.add(0, i === 0 ? 'Used By:' : '', user);
  });
  lines.add(0, 'Events:', '<none>');
  return layOut(lines.all);
}

function addMaps(lines: Lines, { object }: StoredObject): void {
  const { labels = {}, annotations = {} } = object.metadata ?? {};
  addMap(lines, 'Labels:', labels, '=');
  addMap(lines, 'Annotations:', annotations, ': ');
}

function addMap(lines: Lines, title: string, map: Readonly<Record<string, string>>, between: string): void {
  const pairs = Object.entries(map).toSorted(([a], [b]) => (a < b ? -1 : 1));
  if (pairs.length === 0) lines.add(0, title, '<none>');
  pairs.forEach(([key, value], i) => {
    lines.add(0, i === 0 ? title : '', `${key}${between}${value}`);
  });
}

function secretData({ data }: Secret): string {
  const lines = new Lines();
  for (const key of Object.keys(data).toSorted()) lines.add(0, `${key}:`, sizeOf(data[key] ?? ''));
  return `Data\n====\n${layOut(lines.all)}`;
}

function mapData({ data, binaryData }: ConfigMap): string {
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
