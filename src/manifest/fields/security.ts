import { type Rows, noMeaning, notYet } from './row.ts';

const NO_WINDOWS = 'minirt runs Linux containers.';

/** Who a process may be and what it may do. */
export const securityTables = {
  PodSecurityContext: {
    runAsUser: notYet('int64', 'isolation'),
    runAsGroup: notYet('int64', 'isolation'),
    runAsNonRoot: notYet('boolean', 'isolation', { neutral: [false] }),
    supplementalGroups: notYet('[]int64', 'isolation'),
    supplementalGroupsPolicy: notYet('string', 'isolation', { neutral: ['Merge'], values: ['Merge', 'Strict'] }),
    fsGroup: notYet('int64', 'isolation'),
    fsGroupChangePolicy: notYet('string', 'isolation', { values: ['Always', 'OnRootMismatch'] }),
    seccompProfile: notYet('SeccompProfile', 'isolation'),
    appArmorProfile: notYet('AppArmorProfile', 'isolation'),
    seLinuxOptions: notYet('SELinuxOptions', 'isolation', { neutral: [{}] }),
    seLinuxChangePolicy: notYet('string', 'isolation', { values: ['MountOption', 'Recursive'] }),
    sysctls: notYet('[]Sysctl', 'isolation'),
    windowsOptions: noMeaning('WindowsSecurityContextOptions', NO_WINDOWS),
  },
  SecurityContext: {
    runAsUser: notYet('int64', 'isolation'),
    runAsGroup: notYet('int64', 'isolation'),
    runAsNonRoot: notYet('boolean', 'isolation', { neutral: [false] }),
    privileged: notYet('boolean', 'isolation', { neutral: [false] }),
    allowPrivilegeEscalation: notYet('boolean', 'isolation', {
      neutral: [true],
      note: '`false` sets no_new_privs.',
    }),
    readOnlyRootFilesystem: notYet('boolean', 'isolation', { neutral: [false] }),
    capabilities: notYet('Capabilities', 'isolation', { neutral: [{}] }),
    procMount: notYet('string', 'isolation', { neutral: ['Default'], values: ['Default', 'Unmasked'] }),
    seccompProfile: notYet('SeccompProfile', 'isolation'),
    appArmorProfile: notYet('AppArmorProfile', 'isolation'),
    seLinuxOptions: notYet('SELinuxOptions', 'isolation', { neutral: [{}] }),
    windowsOptions: noMeaning('WindowsSecurityContextOptions', NO_WINDOWS),
  },
  Capabilities: { add: notYet('[]string', 'isolation'), drop: notYet('[]string', 'isolation') },
  SeccompProfile: {
    type: notYet('string', 'isolation', { values: ['Localhost', 'RuntimeDefault', 'Unconfined'] }),
    localhostProfile: notYet('string', 'isolation'),
  },
  AppArmorProfile: {
    type: notYet('string', 'isolation', { values: ['Localhost', 'RuntimeDefault', 'Unconfined'] }),
    localhostProfile: notYet('string', 'isolation'),
  },
  SELinuxOptions: {
    level: notYet('string', 'isolation'),
    role: notYet('string', 'isolation'),
    type: notYet('string', 'isolation'),
    user: notYet('string', 'isolation'),
  },
  Sysctl: { name: notYet('string', 'isolation'), value: notYet('string', 'isolation') },
  WindowsSecurityContextOptions: {
    gmsaCredentialSpec: noMeaning('string'),
    gmsaCredentialSpecName: noMeaning('string'),
    hostProcess: noMeaning('boolean'),
    runAsUserName: noMeaning('string'),
  },
} as const satisfies Readonly<Record<string, Rows>>;
