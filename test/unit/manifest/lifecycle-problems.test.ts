import { describe, expect, test } from 'vitest';
import { C, only, pod, problems, withoutPlace } from './sketch.ts';

const HTTP = 'httpGet: {port: 80}';

describe('a hook', () => {
  test.each([
    ['needs a kind', 'postStart: {}', 'postStart: Required value: must specify a handler type'],
    [
      'may not sleep longer than the grace period',
      'preStop: {sleep: {seconds: 31}}',
      'preStop.sleep: Invalid value: 31: must be non-negative and less than terminationGracePeriodSeconds (30)',
    ],
    [
      'may not sleep for less than nothing',
      'postStart: {sleep: {seconds: -1}}',
      'postStart.sleep: Invalid value: -1: must be non-negative and less than terminationGracePeriodSeconds (30)',
    ],
    ['needs a port for its request', 'preStop: {httpGet: {path: /}}', 'preStop.httpGet.port: Required value'],
    [
      'needs a port that there can be',
      'preStop: {httpGet: {port: 0}}',
      'preStop.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive',
    ],
    [
      'needs a name that a port can have',
      'preStop: {tcpSocket: {port: "80"}}',
      'preStop.tcpSocket.port: Invalid value: "80": must contain at least one letter (a-z)',
    ],
    [
      'needs a scheme that there is',
      'preStop: {httpGet: {port: 1, scheme: FTP}}',
      'preStop.httpGet.scheme: Unsupported value: "FTP": supported values: "HTTP", "HTTPS"',
    ],
    [
      'needs names that headers can have',
      'preStop: {httpGet: {port: 1, httpHeaders: [{name: "a b", value: x}]}}',
      `preStop.httpGet.httpHeaders[0].name: Invalid value: "a b": a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')`,
    ],
  ])('%s', (_, hook, message) => {
    expect(problems(pod([`lifecycle: {${hook}}`])).map(withoutPlace)).toEqual([`${C}.lifecycle.${message}`]);
  });

  test.each([
    ['may sleep for nothing', 'postStart: {sleep: {seconds: 0}}', 'postStart', { kind: 'sleep', seconds: 0 }],
    [
      'may sleep for the whole grace period',
      'preStop: {sleep: {seconds: 30}}',
      'preStop',
      { kind: 'sleep', seconds: 30 },
    ],
    [
      'may name a port that nobody has',
      'preStop: {tcpSocket: {port: nobody}}',
      'preStop',
      { kind: 'tcpSocket', host: undefined, port: 'nobody' },
    ],
    [
      'asks for / over http',
      'preStop: {httpGet: {port: 80, host: ""}}',
      'preStop',
      { kind: 'httpGet', host: undefined, port: 80, path: '/', scheme: 'HTTP', headers: [] },
    ],
    [
      'keeps repeated headers',
      'preStop: {httpGet: {port: 80, path: "/a?b", httpHeaders: [{name: X, value: "1"}, {name: X, value: "2"}]}}',
      'preStop',
      {
        kind: 'httpGet',
        host: undefined,
        port: 80,
        path: '/a?b',
        scheme: 'HTTP',
        headers: [
          { name: 'X', value: '1' },
          { name: 'X', value: '2' },
        ],
      },
    ],
  ] as const)('%s', (_, hook, name, expected) => {
    expect(only(pod([`lifecycle: {${hook}}`])).containers[0]?.[name]).toEqual(expected);
  });
});

describe('a probe', () => {
  test.each([
    ['needs a kind', 'livenessProbe: {periodSeconds: 1}', 'livenessProbe: Required value: must specify a handler type'],
    [
      'has one kind',
      `livenessProbe: {exec: {command: [x]}, ${HTTP}}`,
      'livenessProbe.httpGet: Forbidden: may not specify more than 1 handler type',
    ],
    [
      'of liveness succeeds at once',
      `livenessProbe: {${HTTP}, successThreshold: 2}`,
      'livenessProbe.successThreshold: Invalid value: 2: must be 1',
    ],
    [
      'of startup succeeds at once',
      `startupProbe: {${HTTP}, successThreshold: 2}`,
      'startupProbe.successThreshold: Invalid value: 2: must be 1',
    ],
    [
      'has no negative period',
      `livenessProbe: {${HTTP}, periodSeconds: -1}`,
      'livenessProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0',
    ],
    [
      'has no negative delay',
      `livenessProbe: {${HTTP}, initialDelaySeconds: -5}`,
      'livenessProbe.initialDelaySeconds: Invalid value: -5: must be greater than or equal to 0',
    ],
    [
      'of readiness kills nothing, so it has no grace',
      `readinessProbe: {${HTTP}, terminationGracePeriodSeconds: 5}`,
      'readinessProbe.terminationGracePeriodSeconds: Invalid value: 5: must not be set for readinessProbes',
    ],
    [
      'has no grace of zero',
      `livenessProbe: {${HTTP}, terminationGracePeriodSeconds: 0}`,
      'livenessProbe.terminationGracePeriodSeconds: Invalid value: 0: must be greater than 0',
    ],
    ['needs a command', 'livenessProbe: {exec: {command: []}}', 'livenessProbe.exec.command: Required value'],
    ['needs a port for grpc', 'livenessProbe: {grpc: {service: x}}', 'livenessProbe.grpc.port: Required value'],
  ])('%s', (_, line, message) => {
    expect(problems(pod([line])).map(withoutPlace)).toEqual([`${C}.${message}`]);
  });

  test('has defaults, also in place of zeros, and shows them', () => {
    const parsed = only(
      pod([`readinessProbe: {grpc: {port: 5}, timeoutSeconds: 0, failureThreshold: 0, successThreshold: 4}`]),
    );
    expect(parsed.containers[0]?.probes.readiness).toEqual({
      handler: { kind: 'grpc', port: 5, service: '' },
      initialDelaySeconds: 0,
      timeoutSeconds: 1,
      periodSeconds: 10,
      successThreshold: 4,
      failureThreshold: 3,
      terminationGracePeriodSeconds: undefined,
    });
    expect(parsed.object.spec?.containers[0]?.readinessProbe).toEqual({
      failureThreshold: 3,
      grpc: { port: 5, service: '' },
      periodSeconds: 10,
      successThreshold: 4,
      timeoutSeconds: 1,
    });
  });
});

describe('restart rules', () => {
  const rule = '{action: Restart, exitCodes: {operator: In, values: [1]}}';
  test.each([
    [
      'need a policy',
      [`restartPolicyRules: [${rule}]`],
      'restartPolicy: Required value: must specify restartPolicy when restart rules are used',
    ],
    [
      'need exit codes',
      ['restartPolicy: Never', 'restartPolicyRules: [{action: Restart}]'],
      'restartPolicyRules[0].exitCodes: Required value',
    ],
    [
      'need an action',
      ['restartPolicy: Never', 'restartPolicyRules: [{exitCodes: {operator: In, values: [1]}}]'],
      'restartPolicyRules[0].action: Required value',
    ],
    [
      'know two operators',
      ['restartPolicy: Never', 'restartPolicyRules: [{action: Restart, exitCodes: {operator: Is, values: [1]}}]'],
      'restartPolicyRules[0].exitCodes.operator: Unsupported value: "Is": supported values: "In", "NotIn"',
    ],
    [
      'are twenty at most',
      ['restartPolicy: Never', `restartPolicyRules: [${Array.from({ length: 21 }, () => rule).join(', ')}]`],
      'restartPolicyRules: Too long: must have at most 20 items',
    ],
  ])('%s', (_, lines, message) => {
    expect(problems(pod(lines)).map(withoutPlace)).toEqual([`${C}.${message}`]);
  });

  test('are kept in their order', () => {
    const parsed = only(
      pod([
        'restartPolicy: Never',
        `restartPolicyRules: [${rule}, {action: RestartAllContainers, exitCodes: {operator: NotIn, values: [0]}}]`,
      ]),
    );
    expect(parsed.containers[0]).toMatchObject({
      restartPolicy: 'Never',
      restartPolicyRules: [
        { action: 'Restart', operator: 'In', values: [1] },
        { action: 'RestartAllContainers', operator: 'NotIn', values: [0] },
      ],
    });
  });
});

describe('a stop signal', () => {
  test('needs to know the system', () => {
    expect(problems(pod(['lifecycle: {stopSignal: SIGUSR1}'])).map(withoutPlace)).toEqual([
      `${C}.lifecycle.stopSignal: Invalid value: "SIGUSR1": may not be set for containers with empty \`spec.os.name\``,
    ]);
  });

  test.each(['SIGUSR1', 'SIGRTMIN', 'SIGRTMIN+15', 'SIGRTMAX-14'])('may be %s', (signal) => {
    const parsed = only(pod([`lifecycle: {stopSignal: ${signal}}`], ['os: {name: linux}']));
    expect(parsed.containers[0]?.stopSignal).toBe(signal);
  });

  test.each(['USR1', 'SIGFOO', 'SIGRTMIN+16', '9'])('may not be %s', (signal) => {
    const [first] = problems(pod([`lifecycle: {stopSignal: "${signal}"}`], ['os: {name: linux}']));
    expect(first).toContain(`stopSignal: Unsupported value: "${signal}": supported values: "SIGABRT", `);
  });
});

describe('an init container', () => {
  const init = (line: string): string => pod([], ['initContainers:', '- name: i', '  image: b', `  ${line}`]);

  test.each([
    ['lifecycle: {preStop: {sleep: {seconds: 1}}}', 'lifecycle'],
    [`livenessProbe: {${HTTP}}`, 'livenessProbe'],
    [`readinessProbe: {${HTTP}}`, 'readinessProbe'],
    [`startupProbe: {${HTTP}}`, 'startupProbe'],
  ])('that runs to its end has no %s', (line, field) => {
    expect(problems(init(line)).map(withoutPlace)).toEqual([
      `spec.initContainers[0].${field}: Forbidden: may not be set for init containers without restartPolicy=Always`,
    ]);
  });

  test('has the same rules and defaults as any other', () => {
    expect(problems(pod([], ['initContainers:', '- name: c', '  image: ""'])).map(withoutPlace)).toEqual([
      'spec.initContainers[0].name: Duplicate value: "c"',
      'spec.initContainers[0].image: Required value',
    ]);
    expect(only(init('env: []')).object.spec?.initContainers?.[0]).toMatchObject({
      imagePullPolicy: 'Always',
      terminationMessagePath: '/dev/termination-log',
    });
  });

  test('comes before the others, and is a sidecar when it always restarts', () => {
    const both = pod([], ['initContainers:', '- {name: i, image: b}', '- {name: s, image: b, restartPolicy: Always}']);
    expect(only(both).containers.map(({ name, role }) => [name, role])).toEqual([
      ['i', 'init'],
      ['s', 'sidecar'],
      ['c', 'main'],
    ]);
  });
});

describe('of the pod', () => {
  test.each([
    [
      'activeDeadlineSeconds: 0',
      'spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive',
    ],
    ['volumes: [{name: v}, {name: v}]', 'spec.volumes[1].name: Duplicate value: "v"'],
    ['volumes: [{emptyDir: {}}]', 'spec.volumes[0].name: Required value'],
  ])('%s', (line, message) => {
    expect(problems(pod([], [line])).map(withoutPlace)).toEqual([message]);
  });

  test('readiness gates and the deadline are kept', () => {
    const parsed = only(pod([], ['activeDeadlineSeconds: 7', 'readinessGates: [{conditionType: example.com/ok}]']));
    expect(parsed).toMatchObject({ activeDeadlineSeconds: 7, readinessGates: ['example.com/ok'] });
  });
});
