/**
 * What shows that the tests of test/kernel/escapes-*.test.ts can fail: each defence, how it is taken out of the sources,
 * and the tests that must then fail. `npm run test:controls` makes such a build of each and runs them.
 */
import { imageControls } from './image-controls.ts';

import type { Control, Edit } from './control.ts';

const launch = 'escapes-launch';
const images = 'escapes-images';
const volumes = 'volumes-part';
const interfaces = 'escapes-interfaces';

/** Paths of an image are resolved as the kernel does for anybody: links lead where they say. */
const anyPath: readonly Edit[] = [
  {
    file: 'native/path.c',
    from: '.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve,',
    to: '.resolve = resolve,',
  },
  {
    file: 'native/path.c',
    from: `path[0] == '\\0' ? "/" : path, &how`,
    to: `path[strspn(path, "/")] == '\\0' ? "." : path + strspn(path, "/"), &how`,
  },
];

export const controls: Readonly<Record<string, Control>> = {
  ...imageControls,
  'safe-sysctls': {
    without: 'the list of sysctls that pods may have',
    edits: [{ file: 'src/pod/admission.ts', from: '!isSafeSysctl(name)', to: 'false && !isSafeSysctl(name)' }],
    tests: [['sysctls', 'CVE-2022-0811']],
  },
  'image-paths': {
    without: 'resolution of the paths of an image beneath its root',
    edits: anyPath,
    tests: [[launch, 'leads out through a link']],
    raced: [['escapes-races', 'CVE-2021-30465']],
  },
  'plan-lengths': {
    without: 'the look at whether an argument is there',
    edits: [
      { file: 'native/plan.c', from: 'if (at >= words.count)\n				fail', to: 'if (at >= 4 * words.count + 64)\n				fail' },
    ],
    tests: [['plan-fuzz', 'CVE-2021-43784']],
  },
  undumpable: {
    without: 'the hiding of a process that enters a container, which dallies',
    edits: [
      { file: 'native/process.c', from: 'prctl(PR_SET_DUMPABLE, 0) < 0 || ', to: '' },
      { file: 'native/process.c', from: '	ask_for_profile(plan);\n', to: '	usleep(5000);\n	ask_for_profile(plan);\n' },
    ],
    raced: [[launch, 'CVE-2016-9962']],
    tests: [],
  },
  'made-files': {
    without: 'the making of files without following links',
    edits: [
      {
        file: 'native/path.c',
        from: 'O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC',
        to: 'O_CREAT | O_WRONLY | O_CLOEXEC',
      },
    ],
    tests: [[launch, 'is a link to what is not there']],
  },
  'proc-links': {
    without: 'the refusal of links on the way to /proc',
    edits: [
      { file: 'native/mounts.c', from: 'fixed ? RESOLVE_NO_SYMLINKS : 0', to: 'fixed && path[0] != 47 ? 1 : 0' },
      {
        file: 'native/mounts.c',
        from: 'path_open(root, path, O_PATH, RESOLVE_NO_SYMLINKS)',
        to: 'path_open(root, path, O_PATH, 0)',
      },
    ],
    tests: [[launch, '/proc as a link']],
  },
  'proc-covers': {
    without: 'the refusal of mounts on /proc',
    edits: [
      {
        file: 'native/mounts.c',
        from: 'if (is_on(target, PROC_SUPER_MAGIC)) {',
        to: 'if (is_on(target, PROC_SUPER_MAGIC) && path[0] != 47) {',
      },
    ],
    tests: [[launch, 'nothing can be put on']],
  },
  cwd: {
    without: 'opening of the working directory without magic links',
    edits: [
      {
        file: 'native/process.c',
        from: 'path_make_dir(root, cwd == NULL ? "/" : cwd)',
        to: 'open(cwd == NULL ? "/" : cwd, O_PATH | O_DIRECTORY | O_CLOEXEC)',
      },
      { file: 'native/process.c', from: "|| now[0] != '/')", to: ')' },
    ],
    tests: [[launch, 'a working directory of']],
  },
  'inherited-descriptors': {
    without: 'the closing of inherited descriptors',
    edits: [
      { file: 'native/monitor.c', from: '(void)close_range(3, ~0U, 0);', to: '' },
      {
        file: 'native/process.c',
        from: 'if (close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) < 0)\n\t\tfail(STAGE_EXEC, "close_range");',
        to: '',
      },
    ],
    tests: [[launch, 'no inherited descriptor']],
  },
  'helper-file': {
    without: "the read-only mount of the helper's own file",
    edits: [
      {
        file: 'native/process.c',
        from: 'if (where.f_flag & ST_RDONLY)\n\t\treturn;',
        to: 'if (where.f_flag + 1 > 0)\n\t\treturn;',
      },
    ],
    tests: [[launch, 'stays read-only for who held it open']],
  },
  devices: {
    without: 'the device rules of the cgroup',
    edits: [
      {
        file: 'native/devices.c',
        from: 'return (int)syscall(SYS_bpf, BPF_PROG_ATTACH, &attr, sizeof(attr));',
        to: 'return 0;',
      },
    ],
    tests: [[launch, 'a device that is made \\((b 8|c)']],
  },
  masks: {
    without: 'masks over /proc and /sys',
    edits: [
      {
        file: 'native/mounts.c',
        from: '\tautoclose int cover = -1;\n\n\tif (target < 0 && (errno == ENOENT',
        to: '\tautoclose int cover = -1;\n\n\tif (step->kind == STEP_MASK)\n\t\treturn;\n\tif (target < 0 && (errno == ENOENT',
      },
    ],
    tests: [[launch, 'what is masked stays masked']],
  },
  'cgroup-writes': {
    without: 'the read-only mounts of /sys and the cgroup',
    edits: [
      {
        file: 'src/container/launch.ts',
        from: "const access = spec.privileged === true ? '' : 'ro,';",
        to: 'const access = String(privileged).slice(9);',
      },
    ],
    tests: [
      [launch, 'its cgroup cannot be changed'],
      ['resources', 'cannot change them, nor see those of others'],
    ],
  },
  'inheritable-capabilities': {
    without: 'an empty set of inheritable capabilities',
    edits: [
      {
        file: 'src/container/launch.ts',
        from: "return ['caps', bounding, effective, effective, '0', '0'];",
        to: "return ['caps', bounding, effective, effective, effective, '0'];",
      },
    ],
    tests: [[launch, 'inheritable']],
  },
  'numeric-users': {
    without: 'the rule that a number is never a name',
    edits: [
      {
        file: 'src/container/users.ts',
        from: '(uid === undefined ? one.name === user : one.uid === uid)',
        to: 'one.name === user || one.uid === uid',
      },
    ],
    tests: [[launch, 'a number is never looked up as a name']],
  },
  'large-ids': {
    without: 'the limit of ids',
    edits: [
      { file: 'src/container/users.ts', from: '|| id > LARGEST_ID) {', to: '|| id > LARGEST_ID * LARGEST_ID) {' },
    ],
    tests: [[launch, 'is no user']],
  },
  'primary-group': {
    without: 'the primary group among the supplementary ones',
    edits: [{ file: 'src/container/users.ts', from: 'new Set([gid, ...supplementary])', to: 'new Set(supplementary)' }],
    tests: [[launch, 'the primary group is among']],
  },
  'large-accounts': {
    without: "the limit of an image's passwd and group",
    edits: [
      {
        file: 'native/peek.c',
        from: '(uint64_t)about.st_size > limit)',
        to: '(uint64_t)about.st_size > limit * 4096)',
      },
    ],
    tests: [[launch, 'a group file of']],
  },
  'volume-parts': {
    without: 'resolution of a subPath beneath its volume',
    edits: [
      { file: 'native/beneath.c', from: '.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,', to: '.resolve = 0,' },
    ],
    tests: [[volumes, 'words: a link to the host$']],
    raced: [[volumes, 'CVE-2021-25741']],
  },
  'layer-paths': {
    without: 'resolution of the names of a layer beneath its folder',
    edits: [
      ...anyPath,
      { file: 'native/fsops_path.c', from: '.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,', to: '.resolve = 0,' },
      {
        file: 'native/fsops_path.c',
        from: 'if (climbs(root, path)) {',
        to: 'if (climbs(root, path) && path[0] == 0) {',
      },
      {
        file: 'src/image/layer/name.ts',
        from: "if (parts.includes('..')) throw",
        to: "if (parts.includes('...')) throw",
      },
    ],
    tests: [[images, 'a layer leads out']],
  },
  seccomp: {
    without: 'the loading of seccomp filters',
    edits: [
      {
        file: 'native/process.c',
        from: 'if (plan->seccomp == NULL)\n\t\treturn;',
        to: 'if (plan->seccomp_fd >= -1)\n\t\treturn;',
      },
    ],
    tests: [['seccomp', 'CVE-2026-31431']],
  },
  'non-root': {
    without: 'the look at runAsNonRoot before a start',
    edits: [
      {
        file: 'src/pod/security.ts',
        from: 'if (!runAsNonRoot) return;',
        to: 'if (!runAsNonRoot || uid !== "") return;',
      },
    ],
    tests: [['security-context', 'CVE-2019-11245']],
  },
  'folder-modes': {
    without: 'folders that only root can enter',
    edits: [
      {
        file: 'src/state/files.ts',
        from: 'mkdirSync(path, { recursive: true, mode: 0o700 });',
        to: 'mkdirSync(path, { recursive: true, mode: 0o755 });',
      },
    ],
    tests: [[interfaces, 'folders of']],
  },
  'socket-modes': {
    without: 'sockets that only root can use',
    edits: [{ file: 'native/socket.c', from: 'mode_t before = umask(0177);', to: 'mode_t before = umask(0);' }],
    tests: [[interfaces, 'sockets of']],
  },
  'output-limit': {
    without: 'the limit of what a hook may print',
    edits: [
      { file: 'native/exec.c', from: 'log.limit = plan_number(plan->output[1]);', to: 'log.limit = UINT64_MAX;' },
    ],
    tests: [[interfaces, 'output']],
  },
};
