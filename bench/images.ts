/**
 * What it costs to load an image and unpack it: the recipe of nginx, its layer packed with gzip, beside `podman load` of the same
 * archive and `tar -xzf` of the same layer, in turns in one run, on tmpfs and on disk. A tool that is missing is named.
 */
import { type SpawnOptions, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildRecipe } from '../src/image/recipe.ts';
import { Staging } from '../src/image/staging.ts';
import { makeStore, storePaths } from '../src/image/store-paths.ts';
import { archiveFiles } from '../src/image/files.ts';
import { NO_LIMITS } from '../src/image/limits.ts';
import { median, timed } from './statistics.ts';

const never = new AbortController().signal;
const minirt = fileURLToPath(new URL('../bin/minirt', import.meta.url));
const ROUNDS = 5;
const PLACES = { tmpfs: '/dev/shm', disk: '/var/tmp' } as const;

/** @returns exit status */
export async function main(args: readonly string[]): Promise<number> {
  const rounds = Number(args[0] ?? ROUNDS);
  const hasPodman = spawnSync('podman', ['--version']).status === 0;
  if (!hasPodman) process.stdout.write('podman is missing: apt-get install podman\n');
  process.stdout.write(`load of nginx, medians of ${rounds} in turns, ms\n\n`);
  process.stdout.write('place     minirt   tar -xzf   podman load   minirt/tar   minirt/podman   peak RSS\n');
  for (const [place, folder] of Object.entries(PLACES)) {
    const dir = mkdtempSync(join(folder, 'minirt-bench-'));
    try {
      process.stdout.write(await row(place, dir, { rounds, hasPodman }));
    } finally {
      if (hasPodman) await run('podman', [...podmanRoots(dir), 'system', 'reset', '--force'], { stdio: 'ignore' });
      rmSync(dir, { recursive: true, force: true });
    }
  }
  return 0;
}

async function row(
  place: string,
  dir: string,
  { rounds, hasPodman }: { rounds: number; hasPodman: boolean },
): Promise<string> {
  const { archive, layer } = await prepare(dir);
  const ours: number[] = [];
  const tars: number[] = [];
  const podmans: number[] = [];
  for (let i = 0; i < rounds; i++) {
    const [root, tree] = [join(dir, 'root'), join(dir, 'tree')];
    ours.push(await timed(() => run(minirt, ['--root', root, 'load', '-q', '-i', archive])));
    mkdirSync(tree);
    tars.push(await timed(() => untar(layer, tree)));
    if (hasPodman) podmans.push(await timed(() => run('podman', [...podmanRoots(dir), 'load', '-q', '-i', archive])));
    for (const one of [root, tree]) rmSync(one, { recursive: true });
    if (hasPodman) await run('podman', [...podmanRoots(dir), 'rmi', '--all', '--force']);
  }
  const [mine, tar, podman] = [median(ours), median(tars), median(podmans)];
  const peak = peakOf(dir, archive);
  const cells = [
    place.padEnd(6),
    mine.toFixed(0).padStart(9),
    tar.toFixed(0).padStart(10),
    (hasPodman ? podman.toFixed(0) : '-').padStart(13),
    (mine / tar).toFixed(2).padStart(12),
    (hasPodman ? (mine / podman).toFixed(2) : '-').padStart(15),
    `${peak.toFixed(0)} MB`.padStart(10),
  ];
  return `${cells.join(' ')}\n`;
}

/** Onto the disk, as minirt does at the end of each load. */
async function untar(layer: string, tree: string): Promise<void> {
  await run('tar', ['-C', tree, '--numeric-owner', '-xpzf', layer]);
  await run('sync', ['-f', tree]);
}

/** Largest resident set of a load, of minirt and the helpers that it waits for. */
function peakOf(dir: string, archive: string): number {
  const script = `import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)`;
  const words = ['-c', script, minirt, '--root', join(dir, 'peak'), 'load', '-i', archive];
  return Number(execFileSync('python3', words, { encoding: 'utf8' })) / 1000;
}

/** The archive of the recipe with its layer in gzip, and that layer. */
async function prepare(dir: string): Promise<{ archive: string; layer: string }> {
  const paths = storePaths(join(dir, 'unpacked'));
  makeStore(paths);
  await using staging = await Staging.open(paths, never);
  const recipe = await buildRecipe('nginx', never);
  const files = await archiveFiles({ path: recipe }, { staging, limits: NO_LIMITS }, never);
  type Descriptor = { digest: string; size: number; mediaType: string };
  const read = async (name: string): Promise<string> => (await files.read(name)).toString();
  const index = JSON.parse(await read('index.json')) as { manifests: [Descriptor] };
  const blob = ({ digest }: Descriptor): string => `blobs/sha256/${digest.slice(7)}`;
  const manifest = JSON.parse(await read(blob(index.manifests[0]))) as { config: Descriptor; layers: Descriptor[] };
  const layout = join(dir, 'layout');
  const blobs = join(layout, 'blobs', 'sha256');
  mkdirSync(blobs, { recursive: true });
  const write = (bytes: Buffer | string): { digest: string; size: number } => {
    writeFileSync(join(layout, 'new'), bytes);
    const hex = execFileSync('sha256sum', [join(layout, 'new')], { encoding: 'utf8' }).slice(0, 64);
    execFileSync('mv', [join(layout, 'new'), join(blobs, hex)]);
    return { digest: `sha256:${hex}`, size: Buffer.byteLength(bytes) };
  };
  write(await read(blob(manifest.config)));
  const layers: Descriptor[] = [];
  for (const one of manifest.layers) {
    const { path } = await files.open(blob(one));
    const packed = execFileSync('gzip', ['-6', '-c', path], { maxBuffer: 2 ** 30 });
    layers.push({ ...write(packed), mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip' });
  }
  const top = { ...index.manifests[0], ...write(JSON.stringify({ ...manifest, layers })) };
  writeFileSync(join(layout, 'index.json'), JSON.stringify({ ...index, manifests: [top] }));
  writeFileSync(join(layout, 'oci-layout'), await read('oci-layout'));
  const archive = join(dir, 'nginx.tar');
  execFileSync('tar', ['-C', layout, '-cf', archive, ...readdirSync(layout)]);
  const [largest] = layers.toSorted((a, b) => b.size - a.size);
  if (largest === undefined) throw new Error('the recipe has no layer');
  const layer = join(dir, 'layer.tar.gz');
  writeFileSync(layer, readFileSync(join(layout, blob(largest))));
  return { archive, layer };
}

function podmanRoots(dir: string): readonly string[] {
  return ['--root', join(dir, 'podman'), '--runroot', join(dir, 'podman-run'), '--storage-driver', 'overlay'];
}

async function run(file: string, words: readonly string[], options: SpawnOptions = {}): Promise<void> {
  const child = spawn(file, words, { stdio: ['ignore', 'ignore', 'inherit'], ...options });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${file} ${words.join(' ')}: ended with ${String(code)}`);
}
