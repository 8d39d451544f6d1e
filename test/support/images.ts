import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { digestOf } from '../../src/image/digest.ts';
import type { Image, ImageStore } from '../../src/image/store.ts';

type EntryType =
  'file' | 'link' | 'symlink' | 'character-device' | 'block-device' | 'directory' | 'fifo' | 'contiguous-file';

/** One member of a layer; what is left out is ordinary. A name that ends in `/` is a directory. */
export interface TestEntry {
  readonly name: string;
  readonly type?: EntryType;
  readonly content?: string | Buffer;
  readonly linkname?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** Unix seconds. */
  readonly mtime?: number;
  readonly major?: number;
  readonly minor?: number;
  /** Written as they are, bytes included. */
  readonly pax?: Readonly<Record<string, string | Buffer>>;
}

/** A tar of these entries. */
export async function tar(entries: readonly TestEntry[]): Promise<Buffer> {
  const members: Buffer[] = [];
  for (const entry of entries) {
    if (entry.pax !== undefined) {
      const records = Object.entries(entry.pax).map(([key, value]) => paxRecord(key, Buffer.from(value)));
      members.push(asPax(await member({ name: 'PaxHeader', content: Buffer.concat(records) })));
    }
    members.push(await member(entry));
  }
  return Buffer.concat([...members, Buffer.alloc(1024)]);
}

/** One member, without the end of the archive. */
async function member(entry: TestEntry): Promise<Buffer> {
  const archive = pack();
  const type = entry.type ?? (entry.name.endsWith('/') ? 'directory' : 'file');
  const header = {
    name: entry.name,
    type,
    mode: entry.mode ?? (type === 'directory' ? 0o755 : 0o644),
    uid: entry.uid ?? 0,
    gid: entry.gid ?? 0,
    mtime: new Date((entry.mtime ?? 1_700_000_000) * 1000),
    devmajor: entry.major ?? 0,
    devminor: entry.minor ?? 0,
    ...(entry.linkname === undefined ? {} : { linkname: entry.linkname }),
  };
  if (type === 'file' || type === 'contiguous-file') archive.entry(header, Buffer.from(entry.content ?? ''));
  else archive.entry(header);
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive as unknown as AsyncIterable<Buffer>) chunks.push(chunk);
  const all = Buffer.concat(chunks);
  return all.subarray(0, all.length - 1024);
}

/** Makes a file an extended header: tar-stream writes those as UTF-8 only. */
function asPax(bytes: Buffer): Buffer {
  bytes[156] = 'x'.charCodeAt(0);
  bytes.fill(' ', 148, 156);
  const sum = bytes.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return bytes;
}

/** The length in front of a record counts its own digits. */
function paxRecord(key: string, value: Buffer): Buffer {
  const rest = key.length + value.length + 3;
  let length = rest + String(rest).length;
  if (String(length).length > String(rest).length) length = rest + String(length).length;
  return Buffer.concat([Buffer.from(`${length} ${key}=`), value, Buffer.from('\n')]);
}

export interface TestImage {
  /** Tars of the layers, bottom first. */
  readonly layers: readonly Buffer[];
  readonly names?: readonly string[];
  readonly config?: Readonly<Record<string, unknown>>;
  readonly gzip?: boolean;
  /** Wrong on purpose. */
  readonly diffIds?: readonly string[];
}

/** The files of an OCI image layout with this image, by name. */
export function layoutFiles(image: TestImage): Map<string, Buffer> {
  const files = new Map<string, Buffer>([['oci-layout', Buffer.from('{"imageLayoutVersion":"1.0.0"}')]]);
  const add = (mediaType: string, bytes: Buffer): object => {
    const digest = digestOf(bytes);
    files.set(`blobs/sha256/${digest.slice(7)}`, bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const suffix = image.gzip === true ? '+gzip' : '';
  const layers = image.layers.map((layer) =>
    add(`application/vnd.oci.image.layer.v1.tar${suffix}`, image.gzip === true ? gzipSync(layer) : layer),
  );
  const config = {
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: image.config ?? { Cmd: ['sh'] },
    rootfs: { type: 'layers', diff_ids: image.diffIds ?? image.layers.map(digestOf) },
  };
  const manifest = add(
    'application/vnd.oci.image.manifest.v1+json',
    Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        config: add('application/vnd.oci.image.config.v1+json', Buffer.from(JSON.stringify(config))),
        layers,
      }),
    ),
  );
  const named = (image.names ?? ['test']).map((name) => ({
    ...manifest,
    annotations: { 'org.opencontainers.image.ref.name': name },
  }));
  files.set('index.json', Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: named })));
  return files;
}

/** An OCI image layout as a tar. */
export function layoutTar(image: TestImage): Promise<Buffer> {
  return tar([...layoutFiles(image)].map(([name, content]) => ({ name, content })));
}

/** Stores an image made of these layers; returns it. */
export async function loadImage(store: ImageStore, image: TestImage, signal: AbortSignal): Promise<Image> {
  const [name] = await store.load({ stream: Readable.from([await layoutTar(image)], { objectMode: false }) }, signal);
  const found = name === undefined ? undefined : await store.find(name);
  if (found === undefined) throw new Error('the image was not stored');
  return found;
}

/** Commands that tests call in containers. */
const APPLETS = [
  'cat', 'chmod', 'cp', 'cut', 'date', 'dd', 'df', 'echo', 'env', 'false', 'grep', 'head', 'hostname', 'id', 'ifconfig', 'ip', 'kill',
  'ln', 'ls', 'mkdir', 'mknod', 'mount', 'nc', 'nproc', 'printf', 'ps', 'pwd', 'readlink', 'rm', 'sed', 'seq', 'sh', 'sleep', 'sort',
  'stat', 'stty', 'sync', 'tail', 'test', 'touch', 'tr', 'true', 'tty', 'umount', 'uname', 'usleep', 'vi', 'wc', 'wget', 'whoami', 'xargs', 'yes',
]; // prettier-ignore

/** A tiny image for tests: the host's static busybox, root and one user. About 2 MB, no cache needed. */
export async function loadBusybox(store: ImageStore, signal: AbortSignal, name = 'busybox'): Promise<Image> {
  const layer = await tar([
    ...['bin/', 'dev/', 'etc/', 'home/', 'proc/', 'root/', 'sys/', 'usr/', 'var/'].map((dir) => ({ name: dir })),
    { name: 'tmp/', mode: 0o1777 },
    { name: 'bin/busybox', content: readFileSync('/bin/busybox'), mode: 0o755 },
    ...APPLETS.map((applet) => ({ name: `bin/${applet}`, type: 'link' as const, linkname: 'bin/busybox' })),
    {
      name: 'etc/passwd',
      content:
        'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/home:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n',
    },
    { name: 'etc/group', content: 'root:x:0:\nuser:x:1000:\nextra:x:2000:user\nnogroup:x:65534:\n' },
  ]);
  const env = ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'];
  return loadImage(store, { layers: [layer], names: [name], config: { Cmd: ['sh'], Env: env } }, signal);
}
