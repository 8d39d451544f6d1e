import { describe, expect, test } from 'vitest';
import { type Parsed, parseManifest, podFromObject } from '../../../src/manifest/parse.ts';
import { podWith } from './sketch.ts';

function parse(text: string, validate: 'strict' | 'warn' | 'ignore' = 'strict'): Parsed {
  return parseManifest(text, { file: 'pod.yaml', validate });
}

describe('a manifest of several objects', () => {
  const named = (name: string): string => podWith([]).replace('name: p', `name: ${name}`);

  test.each([
    ['documents', `${named('a')}---\n${named('b')}`],
    ['documents of which some are empty', `---\n# nothing\n---\n${named('a')}---\n---\n${named('b')}---\n`],
    [
      'a List',
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'List',
        items: parse(`${named('a')}---\n${named('b')}`).pods.map((pod) => pod.object),
      }),
    ],
  ])('gives every pod: %s', (_what, text) => {
    expect(parse(text).problems).toEqual([]);
    expect(parse(text).pods.map((pod) => pod.name)).toEqual(['a', 'b']);
  });

  test('skips other kinds aloud', () => {
    const { pods, notices } = parse(`${named('a')}---\n{apiVersion: v1, kind: Service, metadata: {name: web}}\n`);
    expect(pods.map((pod) => pod.name)).toEqual(['a']);
    expect(notices).toEqual(['skipped Service/web: minirt runs pods']);
  });

  const template = [
    'metadata: {name: web, namespace: shop}',
    'spec:',
    '  replicas: 3',
    '  template:',
    '    metadata: {labels: {app: web}}',
    '    spec:',
    '      containers: [{name: c, image: busybox, comand: [x]}]',
  ];

  test.each(['apps/v1 Deployment', 'apps/v1 DaemonSet', 'apps/v1 ReplicaSet', 'batch/v1 Job'])(
    'takes the one pod of a template: %s',
    (what) => {
      const [version = '', kind = ''] = what.split(' ');
      const text = [`apiVersion: ${version}`, `kind: ${kind}`, ...template].join('\n');
      const { pods, notices } = parse(text.replace(', comand: [x]', ''));
      expect(pods).toMatchObject([{ name: 'web', namespace: 'shop', labels: { app: 'web' } }]);
      expect(notices).toEqual([`${kind}/web: runs as one pod, pod/web`]);
      expect(parse(text).problems.map(({ line, path }) => [line, path])).toEqual([
        [9, 'spec.template.spec.containers[0].comand'],
      ]);
    },
  );

  describe('of a StatefulSet', () => {
    const set = (claims: string, volumes = ''): string =>
      [
        'apiVersion: apps/v1',
        'kind: StatefulSet',
        'metadata: {name: web, namespace: shop}',
        'spec:',
        '  serviceName: web',
        '  selector: {matchLabels: {app: web}}',
        '  template:',
        '    metadata: {labels: {app: web}}',
        `    spec: {containers: [{name: c, image: busybox}]${volumes}}`,
        `  volumeClaimTemplates: [${claims}]`,
      ].join('\n');
    const claim = (name: string, more = ''): string =>
      `{metadata: {${name}}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}${more}}}`;

    test('takes the first pod', () => {
      const { pods, notices } = parse(set(''));
      expect(pods).toMatchObject([
        {
          name: 'web-0',
          namespace: 'shop',
          hostname: 'web-0',
          labels: {
            app: 'web',
            'apps.kubernetes.io/pod-index': '0',
            'statefulset.kubernetes.io/pod-name': 'web-0',
          },
        },
      ]);
      expect(notices).toEqual(['StatefulSet/web: runs as one pod, pod/web-0']);
    });

    test('begins to count where it says', () => {
      const text = set('').replace('serviceName: web', 'ordinals: {start: 5}');
      expect(parse(text).pods.map(({ name }) => name)).toEqual(['web-5']);
    });

    test('makes its claims', () => {
      const root = parse(set(`${claim('name: data, labels: {tier: db}')}, ${claim('name: log')}`), 'ignore');
      expect(root.problems).toEqual([]);
      expect(root.objects).toEqual([]);
      expect(root.claims).toMatchObject([
        { name: 'data-web-0', namespace: 'shop', object: { metadata: { labels: { tier: 'db', app: 'web' } } } },
        { name: 'log-web-0', namespace: 'shop', storage: '1Gi' },
      ]);
    });

    test('reports what is wrong with a claim where it stands', () => {
      const { problems } = parse(set(`${claim('name: data')}, ${claim('name: log', ', volumeMode: Block')}`), 'ignore');
      expect(problems.map(({ line, path }) => [line, path])).toEqual([
        [10, 'spec.volumeClaimTemplates[1].spec.volumeMode'],
      ]);
      expect(parse(set(claim('labels: {}')), 'ignore').problems.map(({ path }) => path)).toEqual([
        'spec.volumeClaimTemplates[0].metadata.name',
      ]);
    });

    test('misses its name', () => {
      const { problems } = parse(set('').replace('name: web, ', ''));
      expect(problems.map(({ path }) => path)).toEqual(['spec.template.metadata.name']);
    });
  });

  test('takes the pod of a CronJob from deeper down', () => {
    const job = [
      'apiVersion: batch/v1',
      'kind: CronJob',
      'metadata: {name: nightly}',
      'spec: {jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: busybox}]}}}}}',
    ];
    expect(parse(job.join('\n')).pods).toMatchObject([{ name: 'nightly', restartPolicy: 'Never' }]);
  });

  test('misses a template', () => {
    const { problems } = parse('{apiVersion: apps/v1, kind: Deployment, metadata: {name: d}, spec: {}}');
    expect(problems.map(({ path, message }) => `${path}: ${message}`)).toEqual(['spec.template: Required value']);
  });

  test('gives ConfigMaps and Secrets apart from the pods', () => {
    const { pods, objects } = parse(
      `${named('a')}---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: m, uid: x}, data: {k: v}}\n---\n` +
        '{apiVersion: v1, kind: Secret, metadata: {name: s}, data: {a: MQ==}, stringData: {a: one, b: two}}\n',
    );
    expect(pods).toHaveLength(1);
    expect(objects).toMatchObject([
      { kind: 'ConfigMap', name: 'm', namespace: 'default', data: { k: 'v' }, object: { metadata: { name: 'm' } } },
      { kind: 'Secret', type: 'Opaque', data: { a: 'b25l', b: 'dHdv' } },
    ]);
    expect(objects[0]?.object.metadata).not.toHaveProperty('uid');
    expect(objects[1]?.object).not.toHaveProperty('stringData');
  });

  test('lets objects of different kinds have the same name, and no two of one kind', () => {
    const map = '{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}';
    expect(parse(`${named('a')}---\n${map}`).problems).toEqual([]);
    expect(parse(`${map}\n---\n${map}`).problems.map(({ message }) => message)).toEqual(['Duplicate value: "a"']);
  });

  test('gives no pod at all when one has a problem', () => {
    const { pods, problems } = parse(`${named('a')}---\n${named('Bad')}`);
    expect(pods).toEqual([]);
    expect(problems.map(({ line, column, path }) => [line, column, path])).toEqual([[13, 9, 'metadata.name']]);
  });
});

describe('the stance towards fields that minirt does not act on', () => {
  const text = podWith(['comand: [x]']).concat('  securityContext: {seLinuxOptions: {level: s0}}\n');
  const lines = [
    'pod.yaml:9:5: spec.containers[0].comand: unknown field "comand"; did you mean "command"?',
    'pod.yaml:10:21: spec.securityContext.seLinuxOptions: not yet supported; ignored',
  ];

  test.each([
    ['warn', lines],
    ['ignore', []],
  ] as const)('%s drops them and runs the rest', (validate, notices) => {
    const parsed = parse(text, validate);
    expect(parsed.problems).toEqual([]);
    expect(parsed.notices).toEqual(notices);
    expect(parsed.pods[0]?.object.spec?.containers[0]).toEqual({
      image: 'busybox:1.36',
      imagePullPolicy: 'IfNotPresent',
      name: 'c',
      resources: {},
      terminationMessagePath: '/dev/termination-log',
      terminationMessagePolicy: 'File',
    });
    expect(podFromObject(parsed.pods[0]?.object)).toEqual(parsed.pods[0]);
  });

  test('strict makes each a problem', () => {
    expect(parse(text).problems.map(({ line, message }) => `${line} ${message.split(';')[0]}`)).toEqual([
      '9 unknown field "comand"',
      '10 not yet supported',
    ]);
  });

  test('does not soften what is wrong', () => {
    expect(parse(podWith(['command: 5']), 'ignore').problems).toHaveLength(1);
  });
});
