/** JSON as kubectl prints it. */
export function asJson(value: unknown): string {
  return `${JSON.stringify(value, null, 4)}\n`;
}

/** YAML as kubectl prints it: keys sorted, lists not indented. */
export async function asYaml(value: unknown): Promise<string> {
  const { stringify } = await import('yaml');
  return stringify(value, { sortMapEntries: true, indentSeq: false, lineWidth: 0, aliasDuplicateObjects: false });
}

/** A v1 List, which is what kubectl makes of several objects. */
export function listOf(items: readonly unknown[]): object {
  return { apiVersion: 'v1', items, kind: 'List', metadata: { resourceVersion: '' } };
}
