import { describe, expect, test } from 'vitest';
import { defaultProfile, groups } from '../../../src/container/seccomp/default.ts';
import { parseProfile } from '../../../src/container/seccomp/parse.ts';
import { filterWords, type Subject } from '../../../src/container/seccomp/profile.ts';

const subject: Subject = { capabilities: [], arch: 'amd64', kernel: [6, 1] };

describe('the default profile', () => {
  test('names every call once, so that a condition cannot be lost beside another rule', () => {
    const names = groups.flatMap(({ calls }) => calls.split(' '));
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
  });

  test('says why of every group', () => {
    expect(groups.filter(({ why }) => why === '')).toEqual([]);
  });

  test('lets a call of no namespace pass where there is no capability for it', () => {
    const words = filterWords(defaultProfile('amd64'), subject).join(' ');
    expect(words).toContain('rule 7fff0000 clone 1 0 MASKED_EQ 2114060288 0');
    expect(words).toContain('rule 50026 clone3 0');
    expect(words).not.toContain(' mount ');
  });

  test('with CAP_SYS_ADMIN leaves clone alone', () => {
    const words = filterWords(defaultProfile('amd64'), { ...subject, capabilities: ['CAP_SYS_ADMIN'] }).join(' ');
    expect(words).toContain('rule 7fff0000 clone 0');
    expect(words).toContain('rule 7fff0000 clone3 0');
    expect(words).not.toContain('50026 clone3');
  });
});

describe('a profile of a file', () => {
  const words = (json: object, about: Partial<Subject> = {}): string => {
    const profile = parseProfile('/p.json', JSON.stringify(json), 'x86_64');
    return filterWords(profile, { ...subject, ...about })
      .slice(1, -1)
      .join(' ');
  };
  const deny = { defaultAction: 'SCMP_ACT_ERRNO' };
  const rule = (one: object): object => ({
    ...deny,
    syscalls: [{ names: ['read'], action: 'SCMP_ACT_ALLOW', ...one }],
  });

  test.each([
    ['its default action', deny, 'default 50001 arch x86_64'],
    ['the errno of that', { ...deny, defaultErrnoRet: 38 }, 'default 50026 arch x86_64'],
    ['its architectures', { ...deny, architectures: ['SCMP_ARCH_X32'] }, 'default 50001 arch x86_64 arch x32'],
    [
      'those that go with this one',
      {
        ...deny,
        archMap: [
          { architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86'] },
          { architecture: 'SCMP_ARCH_AARCH64', subArchitectures: ['SCMP_ARCH_ARM'] },
        ],
      },
      'default 50001 arch x86_64 arch x86',
    ],
    [
      'the names of a rule',
      rule({ names: ['read', 'write'] }),
      'default 50001 arch x86_64 rule 7fff0000 read 0 rule 7fff0000 write 0',
    ],
    ["a rule's one name, as Docker once wrote it", rule({ names: [], name: 'write' }), /rule 7fff0000 write 0$/],
    ['a call newer than libseccomp', rule({ names: ['mseal'] }), /newer 7fff0000 462$/],
    ['an errno', rule({ action: 'SCMP_ACT_ERRNO', errnoRet: 13 }), /rule 5000d read 0$/],
    [
      'arguments, all of which must hold',
      rule({
        args: [
          { index: 0, value: 1, op: 'SCMP_CMP_EQ' },
          { index: 1, value: 255, valueTwo: 7, op: 'SCMP_CMP_MASKED_EQ' },
        ],
      }),
      /rule 7fff0000 read 2 0 EQ 1 0 1 MASKED_EQ 255 7$/,
    ],
    [
      'two values of one argument, either of which may hold',
      rule({
        args: [
          { index: 0, value: 1, op: 'SCMP_CMP_EQ' },
          { index: 0, value: 2, op: 'SCMP_CMP_EQ' },
        ],
      }),
      /rule 7fff0000 read 1 0 EQ 1 0 rule 7fff0000 read 1 0 EQ 2 0$/,
    ],
    ['a rule for a capability that is not there', rule({ includes: { caps: ['CAP_BPF'] } }), /x86_64$/],
    ['a rule for where a capability is not', rule({ excludes: { caps: ['CAP_BPF'] } }), /read 0$/],
    ['a rule for another architecture', rule({ includes: { arches: ['arm64'] } }), /x86_64$/],
    ['a rule for older kernels', rule({ excludes: { minKernel: '4.8' } }), /x86_64$/],
    ['a rule for newer kernels', rule({ includes: { minKernel: '6.2' } }), /x86_64$/],
    ['a rule for kernels like this one', rule({ includes: { minKernel: '5.19' } }), /read 0$/],
  ])('means %s', (_, json, expected) => {
    expect(words(json)).toMatch(expected);
  });

  test.each([
    ['no JSON', '{', /JSON/],
    ['no object', '[]', 'the profile: [] is no object'],
    ['no default action', '{}', 'defaultAction: nothing is no text'],
    ['an unknown action', '{"defaultAction":"DENY"}', 'defaultAction: "DENY" is not supported'],
    ['a word of JavaScript', '{"defaultAction":"constructor"}', 'defaultAction: "constructor" is not supported'],
    ['a field nobody knows', JSON.stringify({ ...deny, x: 1 }), 'x: unknown field'],
    ['a flag', JSON.stringify({ ...deny, flags: ['SECCOMP_FILTER_FLAG_SPEC_ALLOW'] }), /^flags: .* is not supported$/],
    [
      'both lists of architectures',
      JSON.stringify({ ...deny, architectures: [], archMap: [] }),
      'architectures and archMap: only one of them may be there',
    ],
    ['a rule of nothing', JSON.stringify(rule({ names: [] })), 'syscalls[0].names: no system call is named'],
    ['an unknown field of a rule', JSON.stringify(rule({ errno: 1 })), 'syscalls[0].errno: unknown field'],
    [
      'a notification',
      JSON.stringify(rule({ action: 'SCMP_ACT_NOTIFY' })),
      'syscalls[0].action: "SCMP_ACT_NOTIFY" is not supported',
    ],
    [
      'an errno of what has none',
      JSON.stringify(rule({ errnoRet: 1 })),
      /^syscalls\[0\]\.errnoRet: .* returns no errno$/,
    ],
    [
      'a seventh argument',
      JSON.stringify(rule({ args: [{ index: 6, value: 0, op: 'SCMP_CMP_EQ' }] })),
      'syscalls[0].args[0].index: 6 is no whole number from 0 to 5',
    ],
    [
      'a comparison nobody knows',
      JSON.stringify(rule({ args: [{ index: 0, value: 0, op: '==' }] })),
      'syscalls[0].args[0].op: "==" is no comparison',
    ],
    [
      'an unknown capability',
      JSON.stringify(rule({ includes: { caps: ['CAP_X'] } })),
      'syscalls[0].includes.caps[0]: "CAP_X" is no capability',
    ],
    [
      'no version',
      JSON.stringify(rule({ includes: { minKernel: '5' } })),
      'syscalls[0].includes.minKernel: "5" is no version like 4.8',
    ],
  ])('is refused with its place: %s', (_, text, why) => {
    let message = '';
    try {
      parseProfile('/p.json', text, 'x86_64');
    } catch (error) {
      message = (error as Error).message;
    }
    const start = 'cannot load seccomp profile "/p.json": ';
    expect(message.startsWith(start)).toBe(true);
    expect(message.slice(start.length)).toMatch(why);
  });
});
