import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { hostHierarchies } from '../../src/container/cgroup/census.ts';
import { underSystemd } from '../../src/sys/host.ts';
import { eventually } from '../support/cli.ts';
import { useHostPods } from '../support/host-pods.ts';

const pods = useHostPods();
const resources = { limits: { cpu: '100m', 'hugepages-2Mi': '4Mi' } };
const volumeMounts = [{ name: 'v', mountPath: '/v' }];
const volumes = (medium: string) => ({ volumes: [{ name: 'v', emptyDir: { medium } }] });

/** Handing the controller down is all that these tests change on the host; below systemd's slices it stays. */
const control = join(hostHierarchies()?.unified?.dir ?? '', 'cgroup.subtree_control');
const before = readFileSync(control, 'utf8');
afterAll(() => {
  if (!before.includes('hugetlb') && !underSystemd()) writeFileSync(control, '-hugetlb', { flag: 'r+' });
});

test.each(['HugePages', 'HugePages-2Mi'])(
  'medium %s is a file system of the pages that the pod may have',
  async (medium) => {
    const line =
      'awk \'$2=="/v"{print $3,$4}\' /proc/mounts; stat -c %a /v; cat /sys/fs/cgroup/hugetlb.2MB.max /sys/fs/cgroup/*/hugetlb.2MB.max 2>/dev/null';
    const pod = await pods.start([{ line, resources, volumeMounts }], volumes(medium));
    await pod.ended();
    expect(pod.log()).toBe('hugetlbfs rw,relatime,pagesize=2M\n777\n4194304\n');
  },
);

test.each([
  ['HugePages', {}, 'medium HugePages: hugePages storage requested, but there is no resource request for huge pages'],
  [
    'HugePages-1Gi',
    resources,
    'medium HugePages-1Gi: hugePages storage requested, but there is no resource request for huge pages',
  ],
  [
    'HugePages',
    { limits: { cpu: '1', 'hugepages-2Mi': '2Mi', 'hugepages-1Gi': '1Gi' } },
    "medium: HugePages can't be used if container requests multiple huge page sizes",
  ],
  ['Paper', {}, 'unknown storage medium \\"Paper\\"'],
])('medium %s that the pod cannot have keeps it waiting: %j', async (medium, asked, why) => {
  const pod = await pods.start([{ line: 'echo never', resources: asked, volumeMounts }], volumes(medium));
  await eventually(() => {
    expect(pod.journal()).toContain(why);
  });
  expect(pod.journal()).toContain('FailedMount');
  await pod.delete();
});
