import { describe, expect, test } from 'vitest';
import { jsonPathPrinter } from '../../../src/cli/render/jsonpath.ts';

const pod = (name: string, phase: string) => ({
  kind: 'Pod',
  metadata: { name, labels: { 'app.kubernetes.io/name': 'web', 'a-b': 'c' }, gone: undefined },
  status: {
    phase,
    conditions: [
      { type: 'Initialized', status: 'True' },
      { type: 'Ready', status: phase === 'Running' ? 'True' : 'False' },
    ],
    containerStatuses: [
      { name: 'c', restartCount: 2, ready: true, lastState: {} },
      { name: 'd', restartCount: 0, ready: false, lastState: { terminated: { exitCode: 137 } } },
    ],
  },
});
const list = { kind: 'List', items: [pod('a', 'Running'), pod('b', 'Failed')] };

describe('a template prints what kubectl prints', () => {
  test.each<[template: string, printed: string]>([
    ['{.status.phase}', 'Running'],
    ['{ .status.phase }', 'Running'],
    ['{$.status.phase}', 'Running'],
    ['{@.status.phase}', 'Running'],
    ['{.status.phase}{"\\n"}', 'Running\n'],
    ["{.metadata.name}{'\\t'}{.status.phase}", 'a\tRunning'],
    ['phase={.status.phase}!', 'phase=Running!'],
    ['.status.phase', '.status.phase'],
    ['{.metadata.labels}', '{"app.kubernetes.io/name":"web","a-b":"c"}'],
    ['{.metadata.labels.app\\.kubernetes\\.io/name}', 'web'],
    ["{.metadata.labels['app\\.kubernetes\\.io/name']}", 'web'],
    ["{.metadata.labels['app.kubernetes.io/name']}", 'web'],
    ['{.metadata.labels.a-b}', 'c'],
    ["{.metadata['name','gone']}", 'a'],
    ['{.status.containerStatuses[0].restartCount}', '2'],
    ['{.status.containerStatuses[-1].name}', 'd'],
    ['{.status.containerStatuses[0:2].name}', 'c d'],
    ['{.status.containerStatuses[0,1].name}', 'c d'],
    ['{.status.containerStatuses[*].name}', 'c d'],
    ['{.status.containerStatuses[5].name}', ''],
    ['{.status.conditions[?(@.type=="Ready")].status}', 'True'],
    ["{.status.conditions[?(@.type=='Ready')].status}", 'True'],
    ['{.status.conditions[?(@.type != "Ready")].type}', 'Initialized'],
    ['{.status.containerStatuses[?(@.restartCount>1)].name}', 'c'],
    ['{.status.containerStatuses[?(@.ready==false)].name}', 'd'],
    ['{.status.containerStatuses[?(@.lastState.terminated.exitCode==137)].name}', 'd'],
    ['{.status.containerStatuses[?(@.lastState.terminated)].name}', 'd'],
    ['{..exitCode}', '137'],
    ['{.no.such.thing}', ''],
    ['{.metadata.gone}', ''],
    ['{"a } brace"}', 'a } brace'],
    ['{}', ''],
    ['{range .status.containerStatuses[*]}{.name}={.restartCount};{end}', 'c=2;d=0;'],
    ['{range .status.containerStatuses[*]}{$.kind}/{.name} {end}', 'Pod/c Pod/d '],
  ])('%s', (template, printed) => {
    expect(jsonPathPrinter(template)(pod('a', 'Running'))).toBe(printed);
  });

  test.each<[template: string, printed: string]>([
    ['{.items[*].metadata.name}', 'a b'],
    ['{.items[?(@.status.phase=="Failed")].metadata.name}', 'b'],
    ['{range .items[*]}{.metadata.name}{"\\t"}{.status.phase}{"\\n"}{end}', 'a\tRunning\nb\tFailed\n'],
    [
      '{range .items[*]}{.metadata.name}:{range .status.containerStatuses[*]} {.name}{end}{"\\n"}{end}',
      'a: c d\nb: c d\n',
    ],
    ['{.items[*].status.conditions[?(@.type=="Ready")].status}', 'True False'],
  ])('of a list: %s', (template, printed) => {
    expect(jsonPathPrinter(template)(list)).toBe(printed);
  });
});

test('{.} is the whole thing', () => {
  expect(JSON.parse(jsonPathPrinter('{.}')({ a: [1, 'b'] }))).toEqual({ a: [1, 'b'] });
});

test.each([
  '{.status',
  '{end}',
  '{range .items[*]}',
  '{status}',
  '{.a[}',
  '{.a[?(@.b==)]}',
  '{.a[x]}',
  '{.a b}',
  '{.a[?(process.exit())]}',
])('%s is refused', (template) => {
  expect(() => jsonPathPrinter(template)).toThrow(expect.objectContaining({ code: 'usage' }));
});
