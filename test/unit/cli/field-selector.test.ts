import { describe, expect, test } from 'vitest';
import { eventFields, parseFieldSelector, podFields } from '../../../src/cli/field-selector.ts';
import type { V1Pod } from '../../../src/manifest/pod.ts';
import type { V1Event } from '../../../src/pod/events.ts';

const pod: V1Pod = {
  metadata: { name: 'web', namespace: 'default' },
  spec: { containers: [], restartPolicy: 'Never' },
  status: { phase: 'Running', podIP: '10.0.0.7' },
};

test.each<[text: string | undefined, selected: boolean]>([
  [undefined, true],
  ['', true],
  ['status.phase=Running', true],
  ['status.phase==Running', true],
  ['status.phase!=Running', false],
  ['status.phase=Failed', false],
  [' status.phase = Running , metadata.name=web ', true],
  ['status.phase=Running,metadata.name!=web', false],
  ['spec.nodeName=', true],
  ['spec.nodeName!=', false],
  ['spec.hostNetwork=false', true],
  ['status.podIP=10.0.0.7,spec.restartPolicy=Never', true],
])('pods: %j', (text, selected) => {
  expect(parseFieldSelector(text, podFields)(pod)).toBe(selected);
});

test.each<[text: string, selected: boolean]>([
  ['involvedObject.name=web', true],
  ['involvedObject.name=web,type=Normal', false],
  ['reason!=Unhealthy', false],
  ['involvedObject.fieldPath=spec.containers{c}', true],
  ['source=kubelet', true],
])('events: %j', (text, selected) => {
  const event: V1Event = {
    metadata: {},
    involvedObject: { name: 'web', fieldPath: 'spec.containers{c}' },
    source: { component: 'kubelet' },
    type: 'Warning',
    reason: 'Unhealthy',
  };
  expect(parseFieldSelector(text, eventFields)(event)).toBe(selected);
});

describe('is refused', () => {
  test.each([
    ['status.phase', /can't understand 'status\.phase'/],
    ['status.phase=Running,', /can't understand ''/],
    ['spec.image=nginx', /field label not supported: spec\.image/],
    ['constructor=x', /field label not supported/],
  ])('%j', (text, message) => {
    expect(() => parseFieldSelector(text, podFields)).toThrow(
      expect.objectContaining({ code: 'usage', message: expect.stringMatching(message) as string }),
    );
  });
});
