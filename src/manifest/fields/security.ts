import { type Rows, noMeaning, notYet, supported } from './row.ts';

const APPARMOR =
  'RuntimeDefault where the host has AppArmor; demanded of one that has not, the pod fails as `AppArmor`.';
const NO_WINDOWS = 'minirt runs Linux containers.';

/** Who a process may be and what it may do. */
export const securityTables = {
  PodSecurityContext: {
    runAsUser: supported('int64', { note: "0 to 2147483647. Missing: the image's." }),
    runAsGroup: supported('int64', { note: "Missing: the user's in the image, else 0." }),
    runAsNonRoot: supported('boolean', { note: 'Looked at before every start.' }),
    supplementalGroups: supported('[]int64'),
    supplementalGroupsPolicy: supported('string', { values: ['Merge', 'Strict'] }),
    fsGroup: supported('int64', { note: 'Of volumes but hostPath and image; a group of every process.' }),
    fsGroupChangePolicy: supported('string', { values: ['Always', 'OnRootMismatch'], note: 'Missing: `Always`.' }),
    seccompProfile: supported('SeccompProfile', { note: 'RuntimeDefault where nothing is said.' }),
    appArmorProfile: supported('AppArmorProfile', { note: APPARMOR }),
    seLinuxOptions: notYet('SELinuxOptions', 'isolation', { neutral: [{}] }),
    seLinuxChangePolicy: notYet('string', 'isolation', { values: ['MountOption', 'Recursive'] }),
    sysctls: supported('[]Sysctl', {
      note: 'Those that a kubelet calls safe; a pod with another fails as `SysctlForbidden`.',
    }),
    windowsOptions: noMeaning('WindowsSecurityContextOptions', NO_WINDOWS),
  },
  SecurityContext: {
    runAsUser: supported('int64', { note: "0 to 2147483647. Missing: the image's." }),
    runAsGroup: supported('int64', { note: "Missing: the user's in the image, else 0." }),
    runAsNonRoot: supported('boolean', { note: 'Looked at before every start.' }),
    privileged: supported('boolean', { note: 'All capabilities that root has here, all devices, no masks.' }),
    allowPrivilegeEscalation: supported('boolean', { note: '`false` sets no_new_privs.' }),
    readOnlyRootFilesystem: supported('boolean'),
    capabilities: supported('Capabilities'),
    procMount: supported('string', { values: ['Default', 'Unmasked'], note: '`Unmasked` takes `hostUsers: false`.' }),
    seccompProfile: supported('SeccompProfile', { note: 'RuntimeDefault where nothing is said.' }),
    appArmorProfile: supported('AppArmorProfile', { note: APPARMOR }),
    seLinuxOptions: notYet('SELinuxOptions', 'isolation', { neutral: [{}] }),
    windowsOptions: noMeaning('WindowsSecurityContextOptions', NO_WINDOWS),
  },
  Capabilities: {
    add: supported('[]string', { note: 'With or without `CAP_`, or `ALL`.' }),
    drop: supported('[]string', { note: 'With or without `CAP_`, or `ALL`.' }),
  },
  SeccompProfile: {
    type: supported('string', { values: ['Localhost', 'RuntimeDefault', 'Unconfined'] }),
    localhostProfile: supported('string', { note: 'Below `seccomp/` of the root folder (`--root`).' }),
  },
  AppArmorProfile: {
    type: supported('string', { values: ['Localhost', 'RuntimeDefault', 'Unconfined'] }),
    localhostProfile: supported('string', { note: 'Name of a profile that the kernel has.' }),
  },
  SELinuxOptions: {
    level: notYet('string', 'isolation'),
    role: notYet('string', 'isolation'),
    type: notYet('string', 'isolation'),
    user: notYet('string', 'isolation'),
  },
  Sysctl: { name: supported('string', { note: 'Required.' }), value: supported('string', { note: 'Required.' }) },
  WindowsSecurityContextOptions: {
    gmsaCredentialSpec: noMeaning('string'),
    gmsaCredentialSpecName: noMeaning('string'),
    hostProcess: noMeaning('boolean'),
    runAsUserName: noMeaning('string'),
  },
} as const satisfies Readonly<Record<string, Rows>>;
