import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

/** What elf.h calls them. */
const ET_DYN = 3;
const SEGMENT = { dynamic: 2, interpreter: 3, load: 1, stack: 0x6474e551, relro: 0x6474e552 } as const;
const PF_X = 1;
const PF_W = 2;
const TAG = { textRelocations: 22, flags: 30, flags1: 0x6ffffffb } as const;
const DF_BIND_NOW = 8;
const DF_1_NOW = 1;
const DF_1_PIE = 0x08000000;
const SHT_STRTAB = 3;

/** The one that users run, whichever build the other tests are run on. */
const elf = readFileSync(fileURLToPath(new URL('../../native/build/minirt-helper', import.meta.url)));
const number = (at: number): number => Number(elf.readBigUInt64LE(at));

const segments = Array.from({ length: elf.readUInt16LE(56) }, (_, i) => number(32) + i * elf.readUInt16LE(54)).map(
  (at) => ({
    type: elf.readUInt32LE(at),
    flags: elf.readUInt32LE(at + 4),
    offset: number(at + 8),
    size: number(at + 32),
  }),
);
const of = (type: number): typeof segments => segments.filter((segment) => segment.type === type);

const dynamic = new Map(
  of(SEGMENT.dynamic).flatMap(({ offset, size }) =>
    Array.from({ length: size / 16 }, (_, i) => [number(offset + i * 16), number(offset + i * 16 + 8)] as const),
  ),
);

/** The names of all symbols. */
const strings = Array.from({ length: elf.readUInt16LE(60) }, (_, i) => number(40) + i * elf.readUInt16LE(58))
  .filter((at) => elf.readUInt32LE(at + 4) === SHT_STRTAB)
  .map((at) => elf.toString('latin1', number(at + 24), number(at + 24) + number(at + 32)))
  .join('\0')
  .split('\0');

describe('the helper', () => {
  test('is loaded at an address of chance', () => {
    expect(elf.toString('latin1', 1, 4)).toBe('ELF');
    expect(elf.readUInt16LE(16)).toBe(ET_DYN);
    expect((dynamic.get(TAG.flags1) ?? 0) & DF_1_PIE).toBe(DF_1_PIE);
    expect(dynamic.has(TAG.textRelocations)).toBe(false);
  });

  test('needs no program and no library of the host', () => {
    expect(of(SEGMENT.interpreter)).toEqual([]);
    expect([...dynamic.keys()]).not.toContain(1); // DT_NEEDED
  });

  test('has its tables of addresses made read-only before it starts', () => {
    expect(of(SEGMENT.relro)).toHaveLength(1);
    const now = ((dynamic.get(TAG.flags) ?? 0) & DF_BIND_NOW) | ((dynamic.get(TAG.flags1) ?? 0) & DF_1_NOW);
    expect(now).not.toBe(0);
  });

  test('executes no stack and nothing that it can write', () => {
    expect(of(SEGMENT.stack).map(({ flags }) => flags & PF_X)).toEqual([0]);
    expect(of(SEGMENT.load).filter(({ flags }) => (flags & PF_W) !== 0 && (flags & PF_X) !== 0)).toEqual([]);
  });

  test('notices a stack that was written over, and copies that are longer than their place', () => {
    expect(strings).toContain('__stack_chk_fail');
    expect(strings.filter((name) => /^__\w+_chk$/.test(name)).length).toBeGreaterThan(3);
  });

  test('has no shell', () => {
    expect(strings.filter((name) => ['system', 'popen', '__libc_system', 'wordexp'].includes(name))).toEqual([]);
    expect(elf.includes('/bin/sh')).toBe(false);
  });

  test.each(['init', 'process', 'path', 'rootfs', 'tty'])('allocates nothing after clone: %s.c', (part) => {
    const source = readFileSync(new URL(`../../native/${part}.c`, import.meta.url), 'utf8');
    expect(source).not.toMatch(/\b(?:malloc|calloc|realloc|strdup|asprintf|fopen|opendir|list_add)\(/);
  });
});
