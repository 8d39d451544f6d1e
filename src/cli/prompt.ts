import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import type { Io } from './io.ts';

/** Asks a person for one line; `hidden`: what is typed does not appear. */
export async function ask({ stdin, stderr, signal }: Io, question: string, hidden: boolean): Promise<string> {
  const nothing = new Writable({
    write: (_chunk, _encoding, done) => {
      done();
    },
  });
  const lines = createInterface({ input: stdin, output: hidden ? nothing : stderr, terminal: true });
  if (hidden) stderr.write(question);
  try {
    return await lines.question(hidden ? '' : question, { signal });
  } finally {
    lines.close();
    if (hidden) stderr.write('\n');
  }
}

/** All of stdin, without the end of its last line. */
export async function readSecret({ stdin, signal }: Io): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stdin.iterator({ destroyOnReturn: false })) {
    signal.throwIfAborted();
    chunks.push(Buffer.from(chunk as Buffer));
  }
  return Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '');
}
