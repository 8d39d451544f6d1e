/**
 * What a container sees of itself, as the recordings `env-*` print it, without what depends on the host: see "How a replay is
 * compared" in README.md.
 */

/** Points at which files of the host are mounted: their file systems are the host's. */
const OF_HOST = /^\/(etc\/(hosts|hostname|resolv\.conf)|dev\/termination-log)$/;
const FLAGS = ['ro', 'rw', 'nosuid', 'nodev', 'noexec'];

/** Such a print in a form that two hosts share; any other text as it is. */
export function sights(text: string): string {
  if (!text.startsWith('## env\n')) return text;
  const sections = text.split(/^(?=## )/m);
  return sections.map(section).join('');
}

function section(text: string): string {
  const [title = '', ...lines] = text.split('\n');
  switch (title) {
    case '## env':
      return [title, ...lines.filter((line) => !line.startsWith('KUBERNETES_'))].join('\n');
    case '## id':
      // Names of groups are those of the image.
      return [title, ...lines.map((line) => line.replaceAll(/(?<=(gid|groups)=[^ ]*)\([^)]*\)/g, ''))].join('\n');
    case '## status':
      // RuntimeDefault, where the recorded node had no filter unless the manifest asked for one.
      return [title, ...lines.map((line) => line.replace(/^Seccomp:\t[02]$/, 'Seccomp:\t<any>'))].join('\n');
    case '## mounts':
      return [title, ...lines.flatMap(mount)].join('\n');
    default:
      return text;
  }
}

/** Point, type and flags; a mask is a mask, whatever it is made of. */
function mount(line: string): readonly string[] {
  if (line === '') return [line];
  const [point = '', type = '', options = ''] = line.split(' ');
  if (point.startsWith('/sys/fs/cgroup')) return [];
  if (/^\/(proc|sys)\/./.test(point) && (type === 'tmpfs' || type === 'devtmpfs')) return [`${point} masked`];
  const flags = options.split(',').filter((flag) => FLAGS.includes(flag));
  return [`${point} ${OF_HOST.test(point) ? '<host>' : type} ${flags.join(',')}`];
}
