/** The folder on the machine of the cluster from which root runs scripts: nobody else may exchange what is in it. */
import { UpgradeError } from '../../errors.ts';
import type { Host } from '../../process/host.ts';
import { lastLines } from '../../process/run.ts';

/**
 * Makes the folder $1 where it is missing. Prints our own number, then owner, group, mode and name of it and of everything
 * above it: as the path spells it, and as it is without symbolic links.
 */
export const ownFolderScript = `
umask 077
mkdir -p -- "$1" || exit 73
id -u
for path in "$1" "$(realpath -- "$1")"; do
  while :; do
    stat --format '%u %g %A %n' -- "$path"
    [ "$path" != / ] || break
    path=$(dirname -- "$path")
  done
done
`;

/**
 * Who else could exchange it: `/home/deploy belongs to user 1000`. Where a sticky folder is on the way, what is in it
 * counts. Pure.
 * @param text what `ownFolderScript` printed
 */
export function strangersIn(text: string): string[] {
  const [us = '', ...lines] = text.split('\n');
  const found = lines.flatMap((line) => {
    const [, owner = '', group, mode = '', path = ''] = /^(\d+) (\d+) (\S{10}) (.*)$/.exec(line) ?? [];
    if (path === '') return [];
    if (owner !== '0' && owner !== us) return [`${path} belongs to user ${owner}`];
    // The mode of a link means nothing, and in a sticky folder only the owner of something can exchange it.
    if (mode.startsWith('l') || /[tT]$/.test(mode)) return [];
    if (mode[8] === 'w') return [`everybody may write to ${path}`];
    return mode[5] === 'w' && group !== '0' ? [`group ${group} may write to ${path}`] : [];
  });
  return [...new Set(found)];
}

/** @throws UpgradeError `state-folder` where somebody else could exchange what root runs from it, or it cannot be made */
export async function assertOwnFolder(host: Host, folder: string): Promise<void> {
  const { code, stdout, stderr } = await host.script(ownFolderScript, [folder]);
  const why = code === 0 ? strangersIn(stdout) : [lastLines(stderr, 1)];
  if (why.length === 0) return;
  throw new UpgradeError(
    'state-folder',
    code === 0
      ? `The folder ${folder} on ${host.name} is not only ours: ${why.join('; ')}.`
      : `The folder ${folder} on ${host.name} cannot be made: ${why.join('')}.`,
    {
      phase: 'connect',
      hint:
        code === 0
          ? 'Root runs scripts and installs packages from it. Leave environment.state out (then it is in /var/lib/postgres-upgrade), or name a folder that belongs to root, as does everything above it.'
          : 'Packages are installed as root: log in as root, or write become: sudo. Where the disk is full or read-only, make room, or name another folder in environment.state.',
      docs: 'troubleshooting.md#state-folder',
    },
  );
}
