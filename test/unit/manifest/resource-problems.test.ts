import { describe, expect, test } from 'vitest';
import { C, only, pod, problems } from './sketch.ts';

const R = `${C}.resources`;
const GPU = '0/1 nodes are available: 1 Insufficient example.com/gpu. There are no device plugins here';

describe('resources of a container', () => {
  test.each<[string, string, readonly string[]]>([
    ['are nothing', '{}', []],
    ['are what they may be', '{limits: {cpu: 1, memory: 1Gi, ephemeral-storage: 1Gi, hugepages-2Mi: 4Mi}}', []],
    [
      'are no quantity',
      '{limits: {cpu: lots}}',
      [`${R}.limits[cpu]: Invalid value: "lots": must be a quantity such as 500m, 64Mi or 2`],
    ],
    [
      'are negative',
      '{limits: {memory: -1Mi}}',
      [`${R}.limits[memory]: Invalid value: "-1Mi": must be greater than or equal to 0`],
    ],
    [
      'ask for more than the limit',
      '{limits: {cpu: 500m, memory: 1024Mi}, requests: {cpu: 1, memory: 2Gi}}',
      [
        `${R}.requests: Invalid value: "1": must be less than or equal to cpu limit of 500m`,
        `${R}.requests: Invalid value: "2Gi": must be less than or equal to memory limit of 1Gi`,
      ],
    ],
    [
      'have no such name',
      '{limits: {gpu: 1}}',
      [
        `${R}.limits[gpu]: Invalid value: "gpu": must be a standard resource type or fully qualified`,
        `${R}.limits[gpu]: Invalid value: "gpu": must be a standard resource for containers`,
      ],
    ],
    [
      'are for something else',
      '{requests: {storage: 1Gi}}',
      [`${R}.requests[storage]: Invalid value: "storage": must be a standard resource for containers`],
    ],
    [
      'are devices that are not there',
      '{limits: {example.com/gpu: 1}}',
      [`${R}.limits[example.com/gpu]: Forbidden: ${GPU}`],
    ],
    ['are no devices', '{limits: {example.com/gpu: 0}}', []],
    [
      'are half a device without a limit',
      '{requests: {example.com/gpu: 500m}}',
      [
        `${R}.limits: Required value: Limit must be set for non overcommitable resources`,
        `${R}.requests[example.com/gpu]: Forbidden: ${GPU}`,
        `${R}.requests[example.com/gpu]: Invalid value: "500m": must be an integer`,
      ],
    ],
    [
      'are half a page, less than asked for, and nothing else',
      '{limits: {hugepages-2Mi: 3Mi}, requests: {hugepages-2Mi: 2Mi}}',
      [
        `${R}: Forbidden: HugePages require cpu or memory`,
        `${R}.limits[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi`,
        `${R}.requests: Invalid value: "2Mi": must be equal to hugepages-2Mi limit of 3Mi`,
      ],
    ],
    [
      'are pages of no size',
      '{limits: {cpu: 1, hugepages-big: 2Mi}}',
      [`${R}.limits[hugepages-big]: Invalid value: "2Mi": 2Mi is not positive integer multiple of hugepages-big`],
    ],
  ])('%s', (_, resources, expected) => {
    const said = problems(pod([`resources: ${resources}`])).map((problem) => problem.replace(/^\d+:\d+: /, ''));
    expect(said).toEqual(expected);
  });
});

describe('resources of a whole pod', () => {
  const P = 'spec.resources';
  test.each<[string, string, readonly string[]]>([
    ['hold its containers', '{limits: {cpu: 2, memory: 1Gi}}', []],
    [
      'are less than its containers ask for',
      '{requests: {cpu: 500m}, limits: {memory: 32Mi}}',
      [
        `${C}.resources.limits[memory]: Invalid value: "64Mi": must be less than or equal to pod limits of 32Mi`,
        `${P}.requests[cpu]: Invalid value: "500m": must be greater than or equal to aggregate container requests of 1`,
      ],
    ],
    [
      'are of a kind that only containers have',
      '{limits: {ephemeral-storage: 1Gi}}',
      [
        `${P}.limits[ephemeral-storage]: Unsupported value: "ephemeral-storage": supported values: "cpu", "hugepages-", "memory"`,
      ],
    ],
  ])('%s', (_, resources, expected) => {
    const lines = ['resources: {limits: {cpu: 1, memory: 64Mi}}'];
    const said = problems(pod(lines, [`resources: ${resources}`]));
    expect(said.map((problem) => problem.replace(/^\d+:\d+: /, ''))).toEqual(expected);
  });
});

describe('defaults', () => {
  test('a limit without a request is the request, and amounts are printed as Kubernetes does', () => {
    const { object } = only(pod(['resources: {limits: {cpu: 0.5, memory: 1024Mi}, requests: {cpu: 100m}}']));
    expect(object.spec?.containers[0]?.resources).toEqual({
      limits: { cpu: '500m', memory: '1Gi' },
      requests: { cpu: '100m', memory: '1Gi' },
    });
  });

  test('requests of the whole pod are what its containers ask for, else its limits', () => {
    const lines = ['resources: {requests: {cpu: 100m}, limits: {cpu: 1, hugepages-2Mi: 4Mi}}'];
    expect(only(pod(lines, ['resources: {limits: {cpu: 2, memory: 1Gi}}'])).resources).toEqual({
      limits: { cpu: '2', memory: '1Gi', 'hugepages-2Mi': '4Mi' },
      requests: { cpu: '100m', memory: '1Gi', 'hugepages-2Mi': '4Mi' },
    });
  });

  test('nothing said of the whole pod is nothing', () => {
    expect(only(pod([], ['resources: {}'])).resources).toBeUndefined();
  });
});
