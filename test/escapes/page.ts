import { controls } from './controls.ts';
import type { Row } from './row.ts';
import { rows } from './rows.ts';

const INTRO = `# Security

<!-- The tables are generated from test/escapes/ by scripts/generate-docs: change rows.ts and controls.ts, not this page. -->

minirt is run by root, and runs what an image and a manifest say. It trusts the manifest as far as its fields go, and the image not at all.

- Whatever an image controls is touched through descriptors beneath its root, resolved by the kernel (\`openat2\`), never through joined paths.
- A container has the namespaces, capabilities and devices that containerd gives it; masks and read-only parts of /proc and /sys are Docker's.
- State and images are in folders of mode 0700, sockets have mode 0600; nothing listens on TCP unless it is asked to (\`port-forward\`, on loopback).
- Values of Secrets are in memory only, and blackened in what hooks and probes print.

## Published escapes

Each is a test that is named by its CVE and looks at a canary outside of the container. "Without" names the builds on which that very
test fails, because a defence was taken out of the sources: \`sudo npm run test:controls\` makes them all and sees to it that it does.
`;

/** docs/security.md, as text. */
export function securityPage(): string {
  const used = rows.map(
    (row) => `| ${row.ids.join(', ')} | ${row.how} | ${row.defence} | ${proof(row)} | ${control(row)} |`,
  );
  const builds = Object.entries(controls).map(([name, { without, edits }]) => {
    return `| \`${name}\` | ${without} | ${[...new Set(edits.map(({ file }) => `\`${file}\``))].join(', ')} |`;
  });
  return [
    INTRO,
    '| | how it went elsewhere | here | tested | without |',
    '|---|---|---|---|---|',
    ...used,
    '',
    '## Builds without a defence',
    '',
    '| name | without | changes |',
    '|---|---|---|',
    ...builds,
    '',
  ].join('\n');
}

function proof({ proof: how }: Row): string {
  if (how === 'test') return 'yes';
  return 'absent' in how ? `nothing to test: ${how.absent}` : `not yet: ${how.open}`;
}

function control({ controls: names, uncontrolled }: Row): string {
  return names?.map((name) => `\`${name}\``).join(', ') ?? uncontrolled ?? '';
}
