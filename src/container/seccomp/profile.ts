/**
 * Seccomp profiles as OCI and Docker write them, and what one of them means for one container. Pure.
 */

/** What happens at a system call. Numbers are errno values, and for `trace` what the tracer is told. */
export type Action =
  | { readonly kind: 'allow' | 'log' | 'trap' | 'killThread' | 'killProcess' }
  | { readonly kind: 'errno' | 'trace'; readonly number: number };

export type Operator = 'NE' | 'LT' | 'LE' | 'EQ' | 'GE' | 'GT' | 'MASKED_EQ';

/** One argument of a system call, compared as an unsigned number of 64 bits. */
export interface Comparison {
  /** 0 to 5. */
  readonly index: number;
  readonly op: Operator;
  /** Of MASKED_EQ: the mask. */
  readonly value: bigint;
  /** Of MASKED_EQ: what is left under the mask. */
  readonly valueTwo: bigint;
}

/** Where a rule holds: for these capabilities, architectures (Go's names) and kernels. */
export interface Condition {
  readonly caps?: readonly string[];
  readonly arches?: readonly string[];
  /** At least this one, `[major, minor]`. */
  readonly minKernel?: readonly [number, number];
}

export interface Rule {
  readonly names: readonly string[];
  readonly action: Action;
  /** All must hold; two about the same argument are two rules. */
  readonly args?: readonly Comparison[];
  readonly includes?: Condition;
  readonly excludes?: Condition;
}

export interface Profile {
  readonly defaultAction: Action;
  /** libseccomp's names (`x86_64`); the host's own is always among them. */
  readonly architectures: readonly string[];
  readonly rules: readonly Rule[];
}

/** For whom a profile is made to mean something. */
export interface Subject {
  /** With CAP_. */
  readonly capabilities: readonly string[];
  /** Go's name: `amd64`. */
  readonly arch: string;
  readonly kernel: readonly [number, number];
}

/**
 * System calls that came after the oldest libseccomp that minirt is built with (2.5.4). From 424 on, every architecture
 * has the same numbers (Linux, scripts/syscall.tbl).
 */
export const newerCalls: Readonly<Record<string, number>> = {
  cachestat: 451,
  fchmodat2: 452,
  map_shadow_stack: 453,
  futex_wake: 454,
  futex_wait: 455,
  futex_requeue: 456,
  statmount: 457,
  listmount: 458,
  lsm_get_self_attr: 459,
  lsm_set_self_attr: 460,
  lsm_list_modules: 461,
  mseal: 462,
  setxattrat: 463,
  getxattrat: 464,
  listxattrat: 465,
  removexattrat: 466,
  open_tree_attr: 467,
  file_getattr: 468,
  file_setattr: 469,
};

/**
 * The profile in the words of the helper's role `compile-seccomp` (docs/helper-protocol.md). The same words always make
 * the same filter.
 */
export function filterWords(profile: Profile, subject: Subject): readonly string[] {
  return [
    'minirt-seccomp 1',
    'default',
    actionWord(profile.defaultAction),
    ...profile.architectures.flatMap((name) => ['arch', name]),
    ...profile.rules.filter((rule) => applies(rule, subject)).flatMap(ruleWords),
    'end',
  ];
}

function applies({ includes = {}, excludes = {} }: Rule, { capabilities, arch, kernel }: Subject): boolean {
  const has = (cap: string): boolean => capabilities.includes(cap);
  const olderThan = ([major, minor]: readonly [number, number]): boolean =>
    kernel[0] < major || (kernel[0] === major && kernel[1] < minor);
  return (
    (includes.caps ?? []).every(has) &&
    (includes.arches?.length ? includes.arches.includes(arch) : true) &&
    (includes.minKernel === undefined || !olderThan(includes.minKernel)) &&
    !(excludes.caps ?? []).some(has) &&
    !(excludes.arches ?? []).includes(arch) &&
    (excludes.minKernel === undefined || olderThan(excludes.minKernel))
  );
}

function ruleWords({ names, action, args = [] }: Rule): readonly string[] {
  const word = actionWord(action);
  // libseccomp takes one comparison an argument: of several, one that holds is enough (as runc has it).
  const alternatives = new Set(args.map(({ index }) => index)).size < args.length ? args.map((one) => [one]) : [args];
  return names.flatMap((name) => {
    const number = newerCalls[name];
    if (number !== undefined) return ['newer', word, String(number)];
    return alternatives.flatMap((all) => [
      'rule',
      word,
      name,
      String(all.length),
      ...all.flatMap(({ index, op, value, valueTwo }) => [String(index), op, String(value), String(valueTwo)]),
    ]);
  });
}

/** As the kernel's filters return it, in hex (include/uapi/linux/seccomp.h). */
function actionWord(action: Action): string {
  const values = {
    killProcess: 0x80000000,
    killThread: 0,
    trap: 0x00030000,
    errno: 0x00050000,
    trace: 0x7ff00000,
    log: 0x7ffc0000,
    allow: 0x7fff0000,
  };
  return (values[action.kind] + ('number' in action ? action.number : 0)).toString(16);
}
