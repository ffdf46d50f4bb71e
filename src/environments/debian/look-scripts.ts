/**
 * The scripts that look at the machine of the cluster; all of them only read, but for the package lists. Data comes in as
 * arguments, never as text of a script; POSIX sh, as root, with a clean environment.
 */
import { installedFormat } from './packages.ts';

/** Divides what one script prints; `sections` reads it. */
const section = `section() { printf '\\n==%s\\n' "$1"; }`;

/** The parts of an output by name. */
export function sections(text: string): Map<string, string> {
  const parts = new Map<string, string>();
  for (const part of text.split(/^==(?=[a-z-]+$)/m).slice(1)) {
    const end = part.indexOf('\n');
    parts.set(part.slice(0, end), part.slice(end + 1).replace(/\n$/, ''));
  }
  return parts;
}

/**
 * Everything that inspection needs, in one call. $1 major, $2 cluster, $3 state folder, $4 "lists" for the package lists too, then
 * further packages.
 * Reads only.
 */
export const lookScript = `
${section}
major=$1 cluster=$2 state=$3 lists=$4
shift 4
command -v pg_lsclusters >/dev/null || { section missing; exit 0; }
section clusters
pg_lsclusters --json 2>/dev/null || pg_lsclusters --no-header
section installed
dpkg-query --show --showformat='${installedFormat}' |
  awk -F'|' -v major="$major" '$4 ~ /^postgresql-/ || index($2, "postgresql-" major) == 1'
section init
if [ -d /run/systemd/system ]; then
  echo systemd
  systemctl is-active "postgresql@$major-$cluster.service" || true
fi
if [ "$lists" = lists ]; then
  names=$(dpkg-query --show --showformat='${installedFormat}' |
    awk -F'|' -v source="postgresql-$major" '$4 == source { print $2 }')
  section madison
  apt-cache madison $names "$@"
  section policy
  apt-cache policy $names "$@"
fi
section saved
cat "$state/saved/saved.json" 2>/dev/null || true
section system
sed -n 's/^\\(ID\\|VERSION_ID\\)=//p' /etc/os-release
section end
`;

/** Refreshes the package lists. */
export const updateScript = 'exec apt-get update --quiet=2 --option DPkg::Lock::Timeout=60';

/**
 * What else there is to know before an installation. $1 state folder, $2 server's package, then name=version of what is
 * installed now of all that would change. Reads only.
 */
export const factsScript = `
${section}
state=$1 server=$2
shift 2
section holds
apt-mark showhold
section locks
for file in /var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/lib/apt/lists/lock /var/cache/apt/archives/lock; do
  [ -e "$file" ] || continue
  perl -MFcntl -e '
    open(my $f, "+<", $ARGV[0]) or exit;
    my $lock = pack("s s x4 q q l x4", F_WRLCK, 0, 0, 0, 0);
    fcntl($f, F_GETLK, $lock) or exit;
    my ($type, $whence, $start, $length, $pid) = unpack("s s x4 q q l", $lock);
    exit if $type == F_UNLCK;
    my $name = "process";
    if (open(my $c, "<", "/proc/$pid/comm")) { chomp($name = <$c>); }
    print "$ARGV[0]|$name ($pid)\\n";' "$file"
done
section audit
dpkg --audit
section unattended
dpkg-query --show --showformat='\${db:Status-Abbrev}\\n' unattended-upgrades 2>/dev/null || true
apt-config dump APT::Periodic::Unattended-Upgrade
apt-config dump Unattended-Upgrade::Package-Blacklist
section needrestart
[ -x /usr/sbin/needrestart ] && echo yes
section layer
{ [ -e /usr/sbin/policy-rc.d ] || [ -L /usr/sbin/policy-rc.d ]; } && echo yes
section back
madison=$(apt-cache madison "$server" 2>/dev/null)
for each; do
  name=\${each%%=*} version=\${each#*=}
  file=$(printf %s "$version" | sed 's/:/%3a/g')
  where=
  for found in "$state"/saved/old/"$name"_"$file"_*.deb; do [ -e "$found" ] && where=saved; done
  [ -n "$where" ] || for found in /var/cache/apt/archives/"$name"_"$file"_*.deb; do [ -e "$found" ] && where=cache; done
  [ -n "$where" ] || { apt-get download --print-uris "$each" >/dev/null 2>&1 && where=archive; }
  [ -n "$where" ] || { command -v dpkg-repack >/dev/null && where=repack; }
  printf '%s|%s|%s\\n' "$name" "$version" "$where"
done
section end
`;
