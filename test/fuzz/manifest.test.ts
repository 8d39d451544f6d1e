import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { expandArgs } from '../../src/manifest/expand.ts';
import { fieldTables, shapeOf } from '../../src/manifest/fields.ts';
import { type Parsed, parseManifest, podFromObject } from '../../src/manifest/parse.ts';

const bounded = { numRuns: 300, interruptAfterTimeLimit: 8_000 } as const;
const stance = fc.constantFrom('strict' as const, 'warn' as const, 'ignore' as const);

/** What is said of a manifest that has nothing wrong. */
const USUAL = /^skipped |: runs as one pod, pod\/|: an empty folder stands for it: /;

/** Holds for whatever a text is: an answer, and every problem inside the text. */
function holds(text: string, validate: 'strict' | 'warn' | 'ignore'): void {
  const { pods, objects, problems, notices } = parseManifest(text, { file: 'f', validate });
  expect(pods.length + objects.length > 0).toBe(problems.length === 0);
  const lines = text.split('\n');
  for (const { line, column, message } of problems) {
    expect(message).not.toBe('');
    expect(line >= 1 && line <= lines.length).toBe(true);
    expect(column >= 1 && column <= (lines[line - 1] ?? '').length + 1).toBe(true);
  }
  if (validate !== 'warn') expect(notices.filter((notice) => !USUAL.test(notice))).toEqual([]);
  for (const pod of pods) expect(podFromObject(JSON.parse(JSON.stringify(pod.object)))).toEqual(pod);
}

const fragment = fc.constantFrom(
  ...[
    'apiVersion: v1\n',
    'kind: Pod\n',
    'metadata: {name: a}\n',
    'spec:\n',
    '  containers:\n',
    '  - name: c\n',
    '    image: i\n',
  ],
  ...[
    '---\n',
    '? ',
    ': ',
    '- ',
    '&a ',
    '*a',
    '<<: *a\n',
    '!!int ',
    '!x ',
    '{',
    '}',
    '[',
    ']',
    ',',
    '"',
    "'",
    '|\n',
    '>-\n',
  ],
  ...['\t', '\r\n', '#', '%YAML 1.1\n', '\ufeff', '\\u0000', '~', 'yes', '0x', '1e9', '\u2028', '😀', '__proto__: 1\n'],
);

const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}[a-z0-9]$/);
const words = fc.array(fc.string(), { maxLength: 3 });
const some = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined });
const hook = fc.record({ exec: fc.record({ command: fc.array(fc.string(), { minLength: 1, maxLength: 3 }) }) });

const container = fc.record(
  {
    image: fc.constantFrom('nginx', 'nginx:1', 'registry:5000/a/b', 'x@sha256:00', 'a:latest'),
    imagePullPolicy: some(fc.constantFrom('Always', 'IfNotPresent', 'Never', '')),
    command: some(words),
    args: some(words),
    workingDir: some(fc.string()),
    env: some(fc.array(fc.record({ name: fc.stringMatching(/^[ -<>-~]{1,9}$/), value: some(fc.string()) }))),
    lifecycle: some(fc.record({ postStart: some(hook), preStop: some(hook) })),
    tty: some(fc.boolean()),
    ports: some(fc.constantFrom([], [{ containerPort: 80 }], [{ containerPort: 1, name: 'a', protocol: 'UDP' }])),
  },
  { requiredKeys: ['image'] },
);

const validPod = fc
  .record({
    name,
    labels: some(fc.dictionary(name, name)),
    containers: fc.array(container, { minLength: 1, maxLength: 3 }),
    grace: some(fc.integer({ min: -3, max: 100 })),
    restartPolicy: some(fc.constantFrom('Always', 'OnFailure', 'Never')),
  })
  .map((sketch) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: sketch.name, labels: sketch.labels },
    spec: {
      containers: sketch.containers.map((one, i) => ({ ...one, name: `c${i}` })),
      terminationGracePeriodSeconds: sketch.grace,
      restartPolicy: sketch.restartPolicy,
    },
  }));

const base64 = fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString('base64'));
const keys = fc.stringMatching(/^[-_a-zA-Z0-9]{1,9}$/);

/** One document of each kind that there is; the name is still to come. */
const body = fc.oneof(
  validPod,
  fc.record({
    apiVersion: fc.constant('v1'),
    kind: fc.constant('ConfigMap'),
    data: some(fc.dictionary(keys, fc.string())),
    immutable: some(fc.boolean()),
  }),
  fc.record({
    apiVersion: fc.constant('v1'),
    kind: fc.constant('Secret'),
    data: some(fc.dictionary(keys, base64)),
    stringData: some(fc.dictionary(keys, fc.string())),
  }),
  fc.constant({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  }),
  fc.constantFrom('Deployment', 'StatefulSet', 'DaemonSet').chain((kind) =>
    validPod.map(({ spec }) => ({
      apiVersion: 'apps/v1',
      kind,
      spec: { template: { metadata: { labels: { app: 'a' } }, spec } },
    })),
  ),
  fc.constant({ apiVersion: 'v1', kind: 'Service', spec: { ports: [{ port: 80 }] } }),
);

/** Documents that do not take each other's names. */
const documents = fc
  .array(body, { minLength: 1, maxLength: 5 })
  .map((bodies) => bodies.map((one, i) => ({ ...one, metadata: { name: `n${i}` } })));

/** Values by the table's own types, wrong ones among them: every decoder is met. */
function valueOf(type: string, depth: number): fc.Arbitrary<unknown> {
  const odd = fc.constantFrom<unknown>(null, 0, -1, 1.5, 1e300, '', 'x', 'File', true, false, [], {}, [null], { a: 1 });
  if (depth > 4) return odd;
  const shape = shapeOf(type);
  const right = (): fc.Arbitrary<unknown> => {
    if (shape.kind === 'list') return fc.array(valueOf(shape.of, depth + 1), { maxLength: 2 });
    if (shape.kind === 'map') return fc.dictionary(fc.string(), valueOf(shape.of, depth + 1), { maxKeys: 2 });
    if (shape.kind === 'scalar') return odd;
    const fields = Object.entries(shape.rows);
    return fc.subarray(fields, { maxLength: Math.min(4, fields.length) }).chain((chosen) => {
      return fc.record(Object.fromEntries(chosen.map(([field, row]) => [field, valueOf(row.type, depth + 1)])));
    });
  };
  return fc.oneof({ weight: 4, arbitrary: right() }, { weight: 1, arbitrary: odd });
}

describe('whatever the text', () => {
  test('any characters are answered', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), stance, holds), bounded);
  });

  test('pieces of YAML in any order are answered', () => {
    const text = fc.array(fragment, { maxLength: 40 }).map((parts) => parts.join(''));
    fc.assert(fc.property(text, stance, holds), { ...bounded, numRuns: 2000 });
  });

  test('any JSON is answered', () => {
    fc.assert(fc.property(fc.json(), stance, holds), bounded);
  });

  test('a pod of any fields and values is answered', () => {
    const pod = fc.record({ metadata: valueOf('ObjectMeta', 0), spec: valueOf('PodSpec', 0) });
    const text = pod.map((parts) => JSON.stringify({ apiVersion: 'v1', kind: 'Pod', ...parts }));
    fc.assert(fc.property(text, stance, holds), bounded);
  });

  test('objects of any fields and values are answered, several in one text too', () => {
    const kinds = ['ConfigMap', 'Secret', 'PersistentVolumeClaim', 'Pod'] as const;
    const object = fc.constantFrom(...kinds).chain((kind) =>
      valueOf(kind, 0).map((value) => ({
        ...(typeof value === 'object' && !Array.isArray(value) ? value : {}),
        apiVersion: 'v1',
        kind,
      })),
    );
    const text = fc.array(object, { maxLength: 3 }).map((all) => all.map((one) => JSON.stringify(one)).join('\n---\n'));
    fc.assert(fc.property(text, stance, holds), bounded);
  });

  test('and a pod that is changed in one place too', () => {
    const changed = fc.tuple(validPod, fc.nat(), fragment).map(([pod, at, piece]) => {
      const text = stringify(pod);
      return text.slice(0, at % text.length) + piece + text.slice(at % text.length);
    });
    fc.assert(fc.property(changed, stance, holds), bounded);
  });
});

// Plain words such as `-_0` are numbers to kubectl, and strings to this writer.
const quoted = { version: '1.1', defaultStringType: 'QUOTE_DOUBLE' } as const;

describe('a valid pod', () => {
  test('is read alike from YAML, from JSON and from storage', () => {
    fc.assert(
      fc.property(validPod, (pod) => {
        const parsed = parseManifest(JSON.stringify(pod), { file: 'f', validate: 'strict' });
        expect(parsed.problems).toEqual([]);
        expect(parseManifest(stringify(pod, quoted), { file: 'f', validate: 'strict' }).pods).toEqual(parsed.pods);
        for (const one of parsed.pods) expect(podFromObject(JSON.parse(JSON.stringify(one.object)))).toEqual(one);
      }),
      bounded,
    );
  });
});

describe('several documents', () => {
  const read = (text: string): Parsed => parseManifest(text, { file: 'f', validate: 'strict' });
  const whole = ({ pods, objects, claims }: Parsed): unknown => ({ pods, objects, claims });

  test('are what each of them is, as documents of one text and as items of a List', () => {
    fc.assert(
      fc.property(documents, (all) => {
        fc.pre(all.some(({ kind }) => kind !== 'Service'));
        const each = all.filter(({ kind }) => kind !== 'Service').map((one) => read(JSON.stringify(one)));
        const expected = {
          pods: each.flatMap(({ pods }) => pods),
          objects: each.flatMap(({ objects }) => objects),
          claims: each.flatMap(({ claims }) => claims),
        };
        expect(each.flatMap(({ problems }) => problems)).toEqual([]);
        expect(whole(read(all.map((one) => stringify(one, quoted)).join('---\n')))).toEqual(expected);
        expect(whole(read(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: all })))).toEqual(expected);
      }),
      bounded,
    );
  });

  test('that share a name are all reported, whatever else there is', () => {
    fc.assert(
      fc.property(documents, fc.nat(), (all, at) => {
        const kept = all.filter(({ kind }) => kind !== 'Service');
        fc.pre(kept.length > 0);
        const again = kept[at % kept.length];
        const { problems } = read([...all, again].map((one) => JSON.stringify(one)).join('\n---\n'));
        expect(problems.map(({ message }) => message)).toEqual([expect.stringMatching(/^Duplicate value: /)]);
      }),
      bounded,
    );
  });

  test('are stored as they are read', () => {
    fc.assert(
      fc.property(documents, (all) => {
        const { objects } = read(all.map((one) => JSON.stringify(one)).join('\n---\n'));
        const text = objects.map(({ kind, object }) => JSON.stringify({ ...object, apiVersion: 'v1', kind }));
        if (text.length > 0) expect(read(text.join('\n---\n')).objects).toEqual(objects);
      }),
      bounded,
    );
  });
});

test('expansion without a reference only halves dollars', () => {
  fc.assert(
    fc.property(fc.string(), (word) => {
      fc.pre(!word.includes('$'));
      expect(expandArgs([word, `$$${word}`], [])).toEqual([word, `$${word}`]);
    }),
  );
});

test('the table that drives all this is not empty', () => {
  expect(Object.keys(fieldTables).length).toBeGreaterThan(50);
});
