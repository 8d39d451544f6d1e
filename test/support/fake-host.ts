import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';

/** The host's address on its only link, and the address of what lies beyond it. */
export const HOST = '192.0.2.1';
export const OUTSIDE = '192.0.2.2';

/**
 * A network namespace that is a host of its own: one link, a default route, a firewall. Beyond the link is another one,
 * which knows nothing of any pod's addresses. The firewall of the machine is out of reach.
 */
export class FakeHost {
  readonly netns: string;
  readonly #outside: string;
  readonly #servers: (() => Promise<void>)[] = [];

  constructor() {
    const tag = randomBytes(3).toString('hex');
    this.netns = `mrt-h-${tag}`;
    this.#outside = `mrt-o-${tag}`;
    for (const name of [this.netns, this.#outside]) {
      run('ip', 'netns', 'add', name);
      run('ip', '-n', name, 'link', 'set', 'lo', 'up');
    }
    run('ip', '-n', this.netns, 'link', 'add', 'up0', 'type', 'veth', 'peer', 'name', 'in0', 'netns', this.#outside);
    run('ip', '-n', this.netns, 'addr', 'add', `${HOST}/24`, 'dev', 'up0');
    run('ip', '-n', this.#outside, 'addr', 'add', `${OUTSIDE}/24`, 'dev', 'in0');
    run('ip', '-n', this.netns, 'link', 'set', 'up0', 'up');
    run('ip', '-n', this.#outside, 'link', 'set', 'in0', 'up');
    run('ip', '-n', this.netns, 'route', 'add', 'default', 'via', OUTSIDE);
  }

  get path(): string {
    return `/run/netns/${this.netns}`;
  }

  /** Runs a program on this host. */
  run(...words: readonly string[]): string {
    return run('nsenter', `--net=${this.path}`, ...words);
  }

  /** Runs a program beyond the link. */
  beyond(...words: readonly string[]): string {
    return run('nsenter', `--net=/run/netns/${this.#outside}`, ...words);
  }

  /** A server on this host, or beyond its link, that says a line to everybody. */
  serve(where: 'here' | 'beyond', port: number, line: string): Promise<void> {
    const answer = `(s) => s.end(${JSON.stringify(`${line}\n`)})`;
    const server = `require('net').createServer(${answer}).listen(${port}, '0.0.0.0', () => console.log('ready'))`;
    return this.#start(where === 'here' ? this.path : `/run/netns/${this.#outside}`, server);
  }

  /** The same with datagrams, in a namespace. */
  serveUdp(netns: string, port: number, line: string): Promise<void> {
    const server = `const s = require('dgram').createSocket('udp4');
      s.on('message', (_, from) => s.send(${JSON.stringify(line)}, from.port, from.address));
      s.bind(${port}, () => console.log('ready'));`;
    return this.#start(netns, server);
  }

  async #start(netns: string, script: string): Promise<void> {
    const child = spawn('nsenter', [`--net=${netns}`, process.execPath, '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#servers.push(async () => {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    });
    await once(child.stdout, 'data');
    child.stdout.destroy();
  }

  /** Ends the servers. */
  async quiet(): Promise<void> {
    for (const end of this.#servers.splice(0)) await end();
  }

  /** What the firewall holds, without the counters. */
  rules(): readonly string[] {
    return ['nat', 'filter'].flatMap((table) =>
      this.run('iptables', '-t', table, '-S')
        .split('\n')
        .map((line) => `${table} ${line}`),
    );
  }

  links(): readonly string[] {
    const found = JSON.parse(this.run('ip', '-j', 'link')) as { readonly ifname: string }[];
    return found.map(({ ifname }) => ifname);
  }

  async remove(): Promise<void> {
    await this.quiet();
    for (const name of [this.netns, this.#outside]) run('ip', 'netns', 'delete', name);
  }
}

function run(file: string, ...words: readonly string[]): string {
  return execFileSync(file, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}
