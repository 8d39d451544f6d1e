import { MinirtError, messageOf } from '../../base/errors.ts';
import { allCapabilities } from '../capabilities.ts';
import type { Action, Comparison, Condition, Operator, Profile, Rule } from './profile.ts';

/**
 * Reads a profile as Docker and the OCI runtime-spec write it (linux.seccomp). Nothing is passed over: what minirt does
 * not know could be what confines.
 * @param host libseccomp's name of the host's architecture
 * @throws MinirtError host.unsupported naming the file and the place in it
 */
export function parseProfile(file: string, json: string, host: string): Profile {
  try {
    return profile(object(JSON.parse(json), ''), host);
  } catch (error) {
    throw new MinirtError(
      'host.unsupported',
      `cannot load seccomp profile ${JSON.stringify(file)}: ${messageOf(error)}`,
      {
        details: { file },
      },
    );
  }
}

type Json = Readonly<Record<string, unknown>>;

function profile(json: Json, host: string): Profile {
  only(json, '', ['defaultAction', 'defaultErrnoRet', 'architectures', 'archMap', 'flags', 'syscalls', 'comment']);
  if (json['architectures'] !== undefined && json['archMap'] !== undefined) {
    throw new Error('architectures and archMap: only one of them may be there');
  }
  for (const flag of list(json['flags'], 'flags')) {
    // There is one thread when the filter is loaded, so that all threads have it anyway.
    if (flag !== 'SECCOMP_FILTER_FLAG_TSYNC') throw new Error(`flags: ${shown(flag)} is not supported`);
  }
  return {
    defaultAction: action(json['defaultAction'], json['defaultErrnoRet'], 'defaultAction', 'defaultErrnoRet'),
    architectures: [...new Set([host, ...architectures(json, host)])],
    rules: list(json['syscalls'], 'syscalls').map((one, i) => rule(object(one, `syscalls[${i}]`), `syscalls[${i}]`)),
  };
}

function architectures(json: Json, host: string): readonly string[] {
  const map = list(json['archMap'], 'archMap').map((one, i) => {
    const at = `archMap[${i}]`;
    const entry = object(one, at);
    only(entry, at, ['architecture', 'subArchitectures']);
    return {
      main: architecture(entry['architecture'], `${at}.architecture`),
      subs: list(entry['subArchitectures'], `${at}.subArchitectures`).map((sub, k) =>
        architecture(sub, `${at}.subArchitectures[${k}]`),
      ),
    };
  });
  return [
    ...list(json['architectures'], 'architectures').map((one, i) => architecture(one, `architectures[${i}]`)),
    ...map.filter(({ main }) => main === host).flatMap(({ subs }) => subs),
  ];
}

function architecture(value: unknown, at: string): string {
  const name = /^SCMP_ARCH_([A-Z0-9_]+)$/.exec(text(value, at))?.[1];
  if (name === undefined) throw new Error(`${at}: ${shown(value)} is no architecture`);
  return name.toLowerCase();
}

function rule(json: Json, at: string): Rule {
  only(json, at, ['names', 'name', 'action', 'errnoRet', 'args', 'comment', 'includes', 'excludes']);
  const names = list(json['names'], `${at}.names`).map((one, i) => text(one, `${at}.names[${i}]`));
  if (json['name'] !== undefined && json['name'] !== '') names.push(text(json['name'], `${at}.name`));
  if (names.length === 0) throw new Error(`${at}.names: no system call is named`);
  return {
    names,
    action: action(json['action'], json['errnoRet'], `${at}.action`, `${at}.errnoRet`),
    args: list(json['args'], `${at}.args`).map((one, i) =>
      comparison(object(one, `${at}.args[${i}]`), `${at}.args[${i}]`),
    ),
    includes: condition(json['includes'], `${at}.includes`),
    excludes: condition(json['excludes'], `${at}.excludes`),
  };
}

const kinds = {
  SCMP_ACT_ALLOW: 'allow',
  SCMP_ACT_LOG: 'log',
  SCMP_ACT_TRAP: 'trap',
  SCMP_ACT_KILL: 'killThread',
  SCMP_ACT_KILL_THREAD: 'killThread',
  SCMP_ACT_KILL_PROCESS: 'killProcess',
  SCMP_ACT_ERRNO: 'errno',
  SCMP_ACT_TRACE: 'trace',
} as const;

const EPERM = 1;
/** The kernel keeps 16 bits, and takes an errno over 4095 for 4095. */
const LARGEST = 4095n;

function action(value: unknown, number: unknown, at: string, numberAt: string): Action {
  const name = text(value, at);
  if (!Object.hasOwn(kinds, name)) throw new Error(`${at}: ${shown(value)} is not supported`);
  const kind = kinds[name as keyof typeof kinds];
  if (kind === 'errno' || kind === 'trace') {
    return { kind, number: number === undefined || number === null ? EPERM : Number(whole(number, numberAt, LARGEST)) };
  }
  if (number !== undefined && number !== null) throw new Error(`${numberAt}: ${name} returns no errno`);
  return { kind };
}

const operators: readonly Operator[] = ['NE', 'LT', 'LE', 'EQ', 'GE', 'GT', 'MASKED_EQ'];

function comparison(json: Json, at: string): Comparison {
  only(json, at, ['index', 'value', 'valueTwo', 'op']);
  const op = operators.find((one) => json['op'] === `SCMP_CMP_${one}`);
  if (op === undefined) throw new Error(`${at}.op: ${shown(json['op'])} is no comparison`);
  return {
    index: Number(whole(json['index'], `${at}.index`, 5n)),
    op,
    value: whole(json['value'], `${at}.value`, 2n ** 64n - 1n),
    valueTwo: json['valueTwo'] === undefined ? 0n : whole(json['valueTwo'], `${at}.valueTwo`, 2n ** 64n - 1n),
  };
}

function condition(value: unknown, at: string): Condition {
  if (value === undefined || value === null) return {};
  const json = object(value, at);
  only(json, at, ['caps', 'arches', 'minKernel']);
  const caps = list(json['caps'], `${at}.caps`).map((one, i) => {
    const cap = text(one, `${at}.caps[${i}]`);
    if (!allCapabilities.includes(cap)) throw new Error(`${at}.caps[${i}]: ${shown(cap)} is no capability`);
    return cap;
  });
  const arches = list(json['arches'], `${at}.arches`).map((one, i) => text(one, `${at}.arches[${i}]`));
  if (json['minKernel'] === undefined) return { caps, arches };
  const version = /^(\d+)\.(\d+)$/.exec(text(json['minKernel'], `${at}.minKernel`));
  if (version === null) throw new Error(`${at}.minKernel: ${shown(json['minKernel'])} is no version like 4.8`);
  return { caps, arches, minKernel: [Number(version[1]), Number(version[2])] };
}

/** A whole number that JSON.parse kept whole. */
function whole(value: unknown, at: string, most: bigint): bigint {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0 || BigInt(value) > most) {
    throw new Error(`${at}: ${shown(value)} is no whole number from 0 to ${most < 2n ** 53n ? most : 2n ** 53n - 1n}`);
  }
  return BigInt(value);
}

function only(json: Json, at: string, known: readonly string[]): void {
  const stranger = Object.keys(json).find((key) => !known.includes(key));
  if (stranger !== undefined) throw new Error(`${at === '' ? '' : `${at}.`}${stranger}: unknown field`);
}

function object(value: unknown, at: string): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  throw new Error(`${at === '' ? 'the profile' : at}: ${shown(value)} is no object`);
}

function list(value: unknown, at: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value;
  throw new Error(`${at}: ${shown(value)} is no list`);
}

function text(value: unknown, at: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new Error(`${at}: ${shown(value)} is no text`);
}

function shown(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}
