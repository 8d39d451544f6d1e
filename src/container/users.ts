import { MinirtError } from '../base/errors.ts';
import type { Credentials } from './spec.ts';

/** Linux reserves what does not fit a signed int; CVE-2024-40635 wrapped such a uid to root. */
const LARGEST_ID = 2 ** 31 - 1;
/** Linux' NGROUPS_MAX: setgroups(2) refuses more. */
const MOST_GROUPS = 65_536;

interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

interface Group {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

/**
 * Turns `user[:group]`, as images and `exec -u` write it, into numbers with what the image's own files say. A number is
 * never looked up as a name (CVE-2016-3697); a name that is not there is an error. Without a group, the primary and
 * supplementary groups come from passwd and group; an empty spec is root. The primary group is always among `groups`.
 * `primary` takes the place of whatever is the primary group otherwise, and of no group that lists the user.
 * @throws MinirtError image.invalid
 */
export function resolveUser(spec: string, passwd: string, group: string, primary?: number): Credentials {
  const [userPart = '', named, ...more] = spec.split(':');
  if (more.length > 0) throw invalid(spec, 'more than one colon');
  const groupPart = primary === undefined ? named : undefined;
  const accounts = accountsOf(passwd);
  const account = findAccount(spec, userPart === '' ? '0' : userPart, accounts);
  const groups = groupsOf(group);
  const own = primary ?? account.gid;
  const gid = groupPart === undefined || groupPart === '' ? own : findGid(spec, groupPart, groups);
  const supplementary =
    groupPart === undefined || groupPart === ''
      ? groups.filter((one) => account.name !== '' && one.members.includes(account.name)).map((one) => one.gid)
      : [];
  const all = [...new Set([gid, ...supplementary])];
  if (all.length > MOST_GROUPS) throw invalid(spec, `it is in ${all.length} groups, more than Linux allows`);
  return {
    uid: account.uid,
    gid,
    groups: all,
    home: account.home === '' ? '/' : account.home,
  };
}

function findAccount(spec: string, user: string, accounts: readonly Account[]): Account {
  const uid = number(spec, user);
  const known = accounts.find((one) => (uid === undefined ? one.name === user : one.uid === uid));
  if (known !== undefined) return known;
  if (uid === undefined) throw invalid(spec, `the image has no user ${user}`);
  return { name: '', uid, gid: 0, home: '/' };
}

function findGid(spec: string, name: string, groups: readonly Group[]): number {
  const gid = number(spec, name) ?? groups.find((one) => one.name === name)?.gid;
  if (gid === undefined) throw invalid(spec, `the image has no group ${name}`);
  return gid;
}

/** The id that a word is, undefined when it is a name. */
function number(spec: string, word: string): number | undefined {
  if (!/^[+-]?\d+$/.test(word)) return undefined;
  const id = Number(word);
  if (word.startsWith('+') || word.startsWith('-') || id > LARGEST_ID) {
    throw invalid(spec, `${word} is not an id from 0 to ${LARGEST_ID}`);
  }
  return id;
}

function accountsOf(passwd: string): readonly Account[] {
  return rows(passwd).flatMap(([name = '', , uid = '', gid = '', , home = '']) => {
    const ids = [fileId(uid), fileId(gid)] as const;
    if (name === '' || ids[0] === undefined || ids[1] === undefined) return [];
    // A relative home or one with control characters would end up in the environment.
    const clean = home.startsWith('/') && !/\p{Cc}/u.test(home) ? home : '';
    return [{ name, uid: ids[0], gid: ids[1], home: clean }];
  });
}

function groupsOf(group: string): readonly Group[] {
  return rows(group).flatMap(([name = '', , gid = '', members = '']) => {
    const id = fileId(gid);
    if (name === '' || id === undefined) return [];
    return [{ name, gid: id, members: members.split(',').filter((member) => member !== '') }];
  });
}

function rows(text: string): readonly (readonly string[])[] {
  return text.split('\n').map((line) => line.trimEnd().split(':'));
}

function fileId(word: string): number | undefined {
  return /^\d{1,10}$/.test(word) && Number(word) <= LARGEST_ID ? Number(word) : undefined;
}

function invalid(spec: string, why: string): MinirtError {
  return new MinirtError('image.invalid', `resolve user: ${JSON.stringify(spec)}: ${why}`);
}
