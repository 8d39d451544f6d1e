import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually, type Result } from '../support/cli.ts';
import { Victim } from '../support/crash.ts';
import { expectNoLeaks } from '../support/leaks.ts';

const example = fileURLToPath(new URL('../../examples/postgres.yaml', import.meta.url));

const victim = new Victim();

expectNoLeaks(() => victim.roots);
beforeAll(() => victim.load('postgres'));
afterAll(() => victim.remove());

test('a PostgreSQL server keeps its rows when its pod is deleted and comes again', async () => {
  const applied = await victim.run('apply', '-f', example);
  expect({ code: applied.code, stderr: applied.stderr }).toEqual({ code: 0, stderr: '' });
  await untilReady();
  expect(await sql('create table answers as select 42 as answer')).toMatchObject({ code: 0, stdout: 'SELECT 1\n' });
  // Its settings come from the ConfigMap, its password from the Secret.
  expect(await sql('show max_connections')).toMatchObject({ stdout: '40\n' });
  expect(await overTcp('choose-another-one')).toMatchObject({ code: 0, stdout: '42\n' });
  expect(await overTcp('wrong')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('password authentication failed') as string,
  });

  const { code, stderr } = await victim.run('delete', 'pod', 'postgres');
  expect({ code, stderr }).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(/^postgres: preStop exec exit 0 in \d\.\d s; .*exited 0 /m) as string,
  });
  const log = await victim.run('logs', 'postgres', '--deleted');
  expect(log.stdout + log.stderr).toMatch(/database system is shut down\n$/);

  expect((await victim.run('apply', '-f', example)).stdout).toContain('pod/postgres created');
  await untilReady();
  expect(await sql('table answers')).toMatchObject({ code: 0, stdout: '42\n' });
  const again = await victim.run('logs', 'postgres');
  expect(again.stdout + again.stderr).not.toContain('automatic recovery');
  expect(await victim.run('delete', '-f', example)).toMatchObject({ code: 0 });
  expect((await victim.run('get', 'pvc')).stdout).toBe('');
});

async function untilReady(): Promise<void> {
  await eventually(async () => {
    expect((await victim.run('get', 'pod', 'postgres')).stdout).toContain('1/1');
  }, 60_000);
}

function sql(line: string): Promise<Result> {
  return victim.run('exec', 'postgres', '--', 'psql', '-U', 'postgres', '-At', '-c', line);
}

/** As a client elsewhere would ask, who has to know the password. */
function overTcp(password: string): Promise<Result> {
  const line = `PGPASSWORD=${password} psql -h "$(hostname -i)" -U postgres -At -c "table answers"`;
  return victim.run('exec', 'postgres', '--', '/bin/sh', '-c', line);
}
