/** Pods whose containers share more than a network: processes with each other, or namespaces of the host. */
import { readFileSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { eventually } from '../support/cli.ts';
import { type HostPod, useHostPods } from '../support/host-pods.ts';

const pods = useHostPods();

/** Pids of the host whose command line has a word in it. */
function processesWith(word: string): readonly number[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      return readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(word) ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}

const said = async (pod: HostPod, container: string, text: string | RegExp): Promise<void> => {
  await eventually(() => {
    expect(pod.log(container)).toMatch(text);
  });
};

describe('shareProcessNamespace', () => {
  const spec = { shareProcessNamespace: true };

  test('shows containers each other, behind a first process that adopts what they leave', async () => {
    const a = { name: 'a', line: 'cat /proc/1/comm; grep Seccomp: /proc/1/status; (sleep 4321 & ); sleep 1000 & wait' };
    const b = {
      name: 'b',
      line: 'until ps -o ppid,args | grep "^ *1 sleep"; do sleep 0.1; done; echo own $$$$; sleep 1000 & wait',
    };
    const pod = await pods.start([a, b], spec);
    await said(pod, 'a', 'minirt-reaper\nSeccomp:\t2\n');
    await said(pod, 'b', /^ +1 sleep 4321\nown (?!1\n)\d+\n$/);
    await pod.delete();
    expect(processesWith('sleep\x004321')).toEqual([]);
  });

  test('a container that ends takes its own processes along, and no others', async () => {
    const a = { name: 'a', line: 'sleep 4322 & exit 3' };
    const b = { name: 'b', line: 'sleep 4323 & wait' };
    const pod = await pods.start([a, b], spec);
    await eventually(() => {
      expect(pod.journal()).toContain('"container":"a","restartCount":0,"exitCode":3');
      expect(processesWith('sleep\x004322')).toEqual([]);
    });
    await eventually(() => {
      expect(processesWith('sleep\x004323')).not.toEqual([]);
    });
    await pod.delete();
  });

  test('a process that ends with a signal is seen to, where the first one of a container would be deaf', async () => {
    const pod = await pods.start([{ line: 'sleep 1000 & wait' }], spec);
    await eventually(() => {
      expect(pod.journal()).toContain('"state":"running"');
    });
    await pod.delete();
  });

  test('outlives its owner, and a container comes again among the others', async () => {
    const b = { name: 'b', line: 'until ps -o args | grep -q "[s]leep 4324"; do sleep 0.1; done; echo seen; exit 1' };
    const pod = await pods.start([{ name: 'a', line: 'sleep 4324 & wait' }, b], {
      ...spec,
      restartPolicy: 'OnFailure',
    });
    await said(pod, 'b', 'seen');
    await pods.reopen();
    const taken = await pods.take(pod.view);
    await eventually(() => {
      expect(taken.log('b', 1)).toBe('seen\n');
    });
    await taken.delete();
    expect(processesWith('minirt-reaper')).toEqual([]);
  });

  test('gives nothing of the host away through its first process', async () => {
    const line =
      'ls /proc/1/root/ /proc/1/fd /proc/1/cwd/ 2>/dev/null | grep -v : | grep .; ls -l /proc/1/ns/net 2>/dev/null; echo done';
    const capabilities = { add: ['SYS_PTRACE'] };
    const pod = await pods.start([{ line, securityContext: { capabilities } }], spec);
    await pod.ended();
    const [ns = '', ...rest] = pod.log().trim().split('\n');
    expect([ns, ...rest].filter((one) => !one.includes('net:['))).toEqual(['done']);
    expect(pod.log()).not.toContain(readlinkSync('/proc/self/ns/net'));
  });
});

describe('namespaces of the host', () => {
  test('are those of a container with hostPID, which ends with its own processes only', async () => {
    const line = 'readlink /proc/self/ns/pid; (sleep 4325 &); sleep 4326 & wait';
    const pod = await pods.start([{ line }], { hostPID: true });
    await said(pod, 'c', readlinkSync('/proc/self/ns/pid'));
    await eventually(() => {
      expect(processesWith('sleep\x004325')).not.toEqual([]);
    });
    await pod.delete();
    expect([...processesWith('sleep\x004325'), ...processesWith('sleep\x004326')]).toEqual([]);
  });

  test('are those of a container with hostIPC, with its shared memory', async () => {
    const line = 'readlink /proc/self/ns/ipc; stat -c %d /dev/shm';
    const pod = await pods.start([{ line }], { hostIPC: true });
    await pod.ended();
    expect(pod.log()).toBe(`${readlinkSync('/proc/self/ns/ipc')}\n${statSync('/dev/shm').dev}\n`);
  });
});

test('/dev/shm is one for all containers of a pod', async () => {
  const a = { name: 'a', line: 'echo shared >/dev/shm/f; sleep 1000 & wait' };
  const b = {
    name: 'b',
    line: 'until cat /dev/shm/f 2>/dev/null; do sleep 0.1; done; df -m /dev/shm | tail -1 | tr -s " " | cut -d" " -f2; stat -c %a /dev/shm; sleep 1000 & wait',
  };
  const pod = await pods.start([a, b]);
  await said(pod, 'b', /^shared\n64\n1777\n$/);
  await pod.delete();
});
