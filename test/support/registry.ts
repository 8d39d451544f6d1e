import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { request } from 'undici';
import { eventually } from './cli.ts';
import { type TestImage, layoutFiles } from './images.ts';

const run = promisify(execFile);

export interface RegistryOptions {
  /** The part `auth` of its configuration, as YAML. */
  readonly auth?: string;
  readonly tls?: { readonly certificate: string; readonly key: string };
}

/** Debian's docker-registry on this host, with a folder of its own. */
export class Registry implements AsyncDisposable {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  readonly folder: string;
  readonly #server: ChildProcess;
  readonly #options: RegistryOptions;

  private constructor(host: string, folder: string, server: ChildProcess, options: RegistryOptions) {
    this.host = host;
    this.folder = folder;
    this.#server = server;
    this.#options = options;
  }

  static async start(options: RegistryOptions = {}): Promise<Registry> {
    const folder = mkdtempSync('/tmp/mrt-reg-');
    const host = `127.0.0.1:${await freePort()}`;
    const tls = options.tls && `\n  tls: {certificate: ${options.tls.certificate}, key: ${options.tls.key}}`;
    const config = join(folder, 'config.yml');
    writeFileSync(
      config,
      [
        'version: 0.1',
        'log: {level: error, accesslog: {disabled: true}}',
        `storage: {filesystem: {rootdirectory: ${join(folder, 'data')}}}`,
        `http:\n  addr: ${host}${tls ?? ''}`,
        options.auth ?? '',
      ].join('\n'),
    );
    const server = spawn('docker-registry', ['serve', config], { stdio: 'ignore' });
    const registry = new Registry(host, folder, server, options);
    await eventually(() => registry.#answers());
    return registry;
  }

  get origin(): string {
    return `${this.#options.tls === undefined ? 'http' : 'https'}://${this.host}`;
  }

  /** Stores an image under `NAME:TAG` by way of skopeo. */
  async push(image: TestImage, name: string, more: readonly string[] = []): Promise<void> {
    const layout = mkdtempSync(join(this.folder, 'l-'));
    for (const [path, bytes] of layoutFiles({ ...image, names: ['it'] })) {
      mkdirSync(dirname(join(layout, path)), { recursive: true });
      writeFileSync(join(layout, path), bytes);
    }
    const target = `docker://${this.host}/${name}`;
    await run('skopeo', ['copy', '-q', '--dest-tls-verify=false', ...more, `oci:${layout}:it`, target]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.kill('SIGKILL');
    if (this.#server.exitCode === null) await once(this.#server, 'exit');
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #answers(): Promise<void> {
    if (this.#server.exitCode !== null) throw new Error('docker-registry has ended');
    if (this.#options.tls !== undefined) return run('curl', ['-sk', `${this.origin}/v2/`]).then(() => undefined);
    await (await request(`${this.origin}/v2/`)).body.dump();
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
