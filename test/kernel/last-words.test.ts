import { describe, expect, test } from 'vitest';
import { eventually } from '../support/cli.ts';
import { useHostPods } from '../support/host-pods.ts';

const pods = useHostPods();

describe('last words', () => {
  test.each([
    ['of the log, when there are no others', 'echo one; echo two >&2; exit 4', 'one\ntwo\n'],
    ['of the file before the log', 'echo log; printf file > /m/words; exit 4', 'file'],
    ['none of a success', 'echo log', undefined],
  ])('are %s', async (_, line, message) => {
    const pod = await pods.start([
      { line, terminationMessagePath: '/m/words', terminationMessagePolicy: 'FallbackToLogsOnError' },
    ]);
    const { object } = await pod.ended();
    expect(object.status?.containerStatuses?.[0]?.state?.terminated?.message).toBe(message);
  });

  test('may be written within a volume', async () => {
    const line = 'printf said > /v/deep/words; exit 1';
    const volumeMounts = [{ name: 'v', mountPath: '/v' }];
    const container = { line, volumeMounts, terminationMessagePath: '/v/deep/words' };
    const pod = await pods.start([container], { volumes: [{ name: 'v' }] });
    const { object } = await pod.ended();
    expect(object.status?.containerStatuses?.[0]?.state?.terminated?.message).toBe('said');
  });
});

test('a stop signal of the manifest comes before the one of the image', async () => {
  const line = 'trap "echo usr1; exit 0" USR1; trap "echo term; exit 0" TERM; echo up; while :; do sleep 0.05; done';
  const pod = await pods.start([{ line, lifecycle: { stopSignal: 'SIGUSR1' } }], { os: { name: 'linux' } });
  await eventually(() => {
    expect(pod.log()).toBe('up\n');
  });
  await pod.delete({ now: false });
  expect(pod.log()).toBe('up\nusr1\n');
});
