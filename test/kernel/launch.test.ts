import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestHost } from '../support/containers.ts';

let host: TestHost;
beforeAll(async () => {
  host = await new TestHost().open();
});
afterAll(async () => {
  await host.close();
});

test.each([
  ['nothing', 'true', { code: 0 }],
  ['a code', 'exit 3', { code: 3 }],
])('a container that ends with %s is recorded so', async (_name, script, exit) => {
  const ended = await host.sh(script);
  expect(ended.exit).toMatchObject({ event: 'exited', ...exit });
});
