import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { fieldTables, shapeOf } from '../../../src/manifest/fields.ts';

const scalars = ['string', 'boolean', 'int32', 'int64', 'Quantity', 'IntOrString', 'Time', 'any'];

/** The members of every interface that kubernetes-types publishes, each type in our table's words. */
const published = new Map<string, ReadonlyMap<string, string>>(
  ['core/v1', 'meta/v1'].flatMap((name) => {
    const file = fileURLToPath(import.meta.resolve(`kubernetes-types/${name}.d.ts`));
    const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
    return source.statements.filter(ts.isInterfaceDeclaration).map((declaration) => {
      const members = declaration.members.filter(ts.isPropertySignature);
      const types = members.map((member) => [member.name.getText(), wording(member.type?.getText() ?? '')] as const);
      return [declaration.name.text, new Map(types)] as const;
    });
  }),
);

function wording(type: string): string {
  const list = /^Array<(.*)>$/s.exec(type)?.[1];
  if (list !== undefined) return `[]${wording(list)}`;
  const map = /^\{\s*\[name: string\]: (\w+);?\s*\}$/s.exec(type)?.[1];
  if (map !== undefined) return `map[string]${wording(map)}`;
  return type === 'number | string' ? 'IntOrString' : type;
}

/** kubernetes-types knows only `number`; a type that the table leaves open fits everything. */
function fits(ours: string, theirs: string): boolean {
  if (ours.replace(/^\[\]/, '') === 'any' || ours === theirs) return true;
  return ours.replace(/int(32|64)$/, 'number') === theirs;
}

/** What Kubernetes changed after 1.30, where kubernetes-types stops: 1.31 to 1.36. */
const since130: Readonly<Record<string, readonly string[]>> = {
  PodSpec: ['hostnameOverride', 'resources', 'schedulingGroup'],
  Container: ['restartPolicyRules'],
  Lifecycle: ['stopSignal'],
  EnvVarSource: ['fileKeyRef'],
  PodSecurityContext: ['seLinuxChangePolicy', 'supplementalGroupsPolicy'],
  PodResourceClaim: ['resourceClaimName', 'resourceClaimTemplateName'],
  ResourceClaim: ['request'],
  Volume: ['image'],
  VolumeProjection: ['podCertificate'],
};
const newTables = [
  'ContainerRestartRule',
  'ContainerRestartRuleOnExitCodes',
  'FileKeySelector',
  'ImageVolumeSource',
  'PodCertificateProjection',
  'PodSchedulingGroup',
];
/** `source` was never more than alpha. */
const gone: Readonly<Record<string, readonly string[]>> = { PodResourceClaim: ['source'] };

describe('the table of fields', () => {
  test('is compared with what is there', () => {
    expect([...(published.get('PodSpec')?.keys() ?? [])].length).toBeGreaterThan(35);
    expect(
      Object.keys(fieldTables)
        .filter((name) => !published.has(name))
        .toSorted(),
    ).toEqual(newTables);
  });

  test.each(Object.keys(fieldTables).filter((name) => published.has(name)))(
    'has exactly the fields that Kubernetes has: %s',
    (name) => {
      const known = [...(published.get(name)?.keys() ?? [])].filter((field) => !gone[name]?.includes(field));
      expect(Object.keys(fieldTables[name] ?? {}).toSorted()).toEqual([...known, ...(since130[name] ?? [])].toSorted());
    },
  );

  test('gives every field the type that Kubernetes gives it', () => {
    const wrong = Object.entries(fieldTables).flatMap(([name, rows]) =>
      Object.entries(rows).flatMap(([field, { type }]) => {
        const theirs = published.get(name)?.get(field);
        const exempt = theirs === undefined || field === 'apiVersion' || field === 'kind' || field === 'status';
        return exempt || fits(type, theirs) ? [] : [`${name}.${field}: ${type}, not ${theirs}`];
      }),
    );
    expect(wrong).toEqual([]);
  });

  test('names only types that can be decoded', () => {
    const leaf = (type: string): string => {
      const shape = shapeOf(type);
      return shape.kind === 'list' || shape.kind === 'map' ? leaf(shape.of) : shape.kind;
    };
    const types = Object.values(fieldTables).flatMap((rows) => Object.values(rows).map(({ type }) => type));
    const inner = types
      .filter((type) => leaf(type) === 'scalar')
      .map((type) => type.replace(/^(\[\]|map\[string\])/, ''));
    expect([...new Set(inner)].filter((type) => !scalars.includes(type))).toEqual([]);
  });

  test('says which work brings what is not there, and why the rest never comes', () => {
    const rows = Object.entries(fieldTables).flatMap(([name, fields]) =>
      Object.entries(fields).map(([field, row]) => ({ at: `${name}.${field}`, ...row })),
    );
    expect(rows.filter((row) => (row.status === 'not-yet') !== (row.area !== undefined))).toEqual([]);
    expect(rows.filter((row) => row.status === 'refused' && row.note === '')).toEqual([]);
  });
});
