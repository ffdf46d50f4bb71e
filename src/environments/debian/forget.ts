/** Taking settings out of what ALTER SYSTEM wrote, while no server runs that could be told. */
import { UpgradeError } from '../../errors.ts';
import type { Host } from '../../process/host.ts';
import { lastLines } from '../../process/run.ts';

/**
 * $1 data directory, then names. As its owner: root would follow a link that stands there. Written beside the file and
 * moved over it, so that there is always a whole one; values may be of any encoding, and every byte stays as it is.
 */
const forgetScript = `
set -eu
owner=$(stat --format %U -- "$1")
program='
use IO::Handle;
my $path = shift(@ARGV) . "/postgresql.auto.conf";
my %names = map { lc($_) => 1 } @ARGV;
open(my $in, "<:raw", $path) or die "$path: $!\\n";
my @lines = <$in>;
my @kept = grep { my ($name) = split(/=/, $_); $name =~ s/^\\s+|\\s+$//g; !$names{lc($name)} } @lines;
exit 0 if @kept == @lines;
unlink("$path.new");
open(my $out, ">:raw", "$path.new") or die "$path.new: $!\\n";
chmod((stat($in))[2] & 0777, $out);
print {$out} @kept or die "$path.new: $!\\n";
$out->flush && $out->sync && close($out) or die "$path.new: $!\\n";
rename("$path.new", $path) or die "$path: $!\\n";
'
if [ "$(id -u)" = 0 ]; then exec runuser --user "$owner" -- perl -e "$program" -- "$@"; fi
exec perl -e "$program" -- "$@"
`;

/**
 * Only while no server runs: it would write the file anew.
 * @throws UpgradeError `rollback-setting`: with the setting the older version would not start
 */
export async function forgetSettings(host: Host, data: string, names: readonly string[]): Promise<void> {
  const { code, stderr } = await host.script(forgetScript, [data, ...names]);
  if (code === 0) return;
  throw new UpgradeError(
    'rollback-setting',
    `${names.join(', ')} could not be taken out of ${data}/postgresql.auto.conf: with it the older version would not start.`,
    {
      phase: 'rollback',
      hint: `${lastLines(stderr, 3)}\nTake the line out by hand, then run mode: rollback again.`,
    },
  );
}
