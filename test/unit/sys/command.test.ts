import { expect, test } from 'vitest';
import { runCommand } from '../../../src/sys/command.ts';

test('gives output and exit status, and feeds input', async () => {
  const result = await runCommand('sh', ['-c', 'cat; echo $A >&2; exit 3'], {
    input: 'in',
    env: { A: 'b', PATH: '/bin:/usr/bin' },
  });
  expect(result).toEqual({ code: 3, stdout: 'in', stderr: 'b\n' });
});

test('a signal’s death has no exit status', async () => {
  expect((await runCommand('sh', ['-c', 'kill -9 $$'])).code).toBeUndefined();
});

test('input that nobody reads is no error', async () => {
  expect((await runCommand('true', [], { input: 'x'.repeat(1_000_000) })).code).toBe(0);
});

test('a program that is not there is ENOENT', async () => {
  await expect(runCommand('/nowhere/prog', [])).rejects.toMatchObject({ code: 'ENOENT' });
});

test('an abort ends the children too, before it is told', async () => {
  const abort = new AbortController();
  const reason = new Error('enough');
  const began = Date.now();
  const running = runCommand('sh', ['-c', '(sleep 60; echo late) & echo; sleep 60'], { signal: abort.signal });
  setTimeout(() => {
    abort.abort(reason);
  }, 50);
  await expect(running).rejects.toBe(reason);
  expect(Date.now() - began).toBeLessThan(10_000);
  await expect(runCommand('true', [], { signal: abort.signal })).rejects.toBe(reason);
});
