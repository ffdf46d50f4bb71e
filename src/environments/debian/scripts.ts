/**
 * The shell scripts that are run on the machine of the cluster. Data comes in as arguments, never as text of a script.
 * They are POSIX sh, as root, with a clean environment.
 */
import { quote } from '../../process/quote.ts';
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

/** Options of every installation: exactly what is named, nothing removed, configuration files as they are, no questions. */
const aptOptions = `--quiet --yes --no-install-recommends --no-remove --allow-downgrades \\
  --allow-change-held-packages --option Dpkg::Options::=--force-confdef --option Dpkg::Options::=--force-confold \\
  --option DPkg::Lock::Timeout=120 --option Dpkg::Use-Pty=0`;

/** Nobody is asked, and needrestart restarts nothing of its own. */
const quietly = `export DEBIAN_FRONTEND=noninteractive APT_LISTCHANGES_FRONTEND=none NEEDRESTART_SUSPEND=1 UCF_FORCE_CONFFOLD=1`;

/** What an installation would do. $@ package=version. Exit code 0 or apt's; reads only. */
export const simulateScript = `
${quietly}
exec apt-get install --simulate ${aptOptions} "$@"
`;

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

/**
 * Brings every package of the transaction into $1/next: the new ones into new, the present ones into old. $2... are the new
 * ones as name=version, then --, then those that are installed now. Prints the sum of each file.
 */
export const fetchScript = `
set -eu
${quietly}
state=$1
shift
umask 077
rm -rf "$state/next"
mkdir -p "$state/next/new/partial" "$state/next/old"
new=
while [ "$1" != -- ]; do new="$new $1"; shift; done
shift
apt-get install --download-only ${aptOptions} --option Dir::Cache::archives="$state/next/new" $new
rm -rf "$state/next/new/partial" "$state/next/new/lock"
cd "$state/next/old"
for each; do
  name=\${each%%=*} version=\${each#*=}
  file=$(printf %s "$version" | sed 's/:/%3a/g')
  got() { for own in "$name"_"$file"_*.deb; do [ -e "$own" ] && return 0; done; return 1; }
  for deb in "$state"/saved/old/"$name"_"$file"_*.deb /var/cache/apt/archives/"$name"_"$file"_*.deb; do
    if [ -e "$deb" ] && ! got; then cp "$deb" .; fi
  done
  got || apt-get download "$each" || true
  if ! got && command -v dpkg-repack >/dev/null; then
    dpkg-repack "$name"
    for deb in "$name"_*.deb; do
      case $deb in "$name"_"$file"_*) ;; *) mv "$deb" "$name"_"$file"_"\${deb##*_}" ;; esac
    done
  fi
  got || { echo "The package $each, which is installed now, cannot be had again." >&2; exit 66; }
  for deb in "$name"_"$file"_*.deb; do
    [ "$(dpkg-deb --field "$deb" Package)=$(dpkg-deb --field "$deb" Version)" = "$each" ] ||
      { echo "$deb is not $each." >&2; exit 66; }
    # Read to its end: apt's cache may hold half of one.
    dpkg-deb --fsys-tarfile "$deb" >/dev/null || { echo "$deb is damaged." >&2; exit 66; }
  done
done
cd ..
sha256sum -- new/*.deb old/*.deb
sync -f .
`;

/** Puts what was fetched in its place, with its list on standard input. $1 state folder. */
export const keepScript = `
set -eu
state=$1
umask 077
cat >"$state/next/saved.json"
sync -f "$state/next"
rm -rf "$state/saved.gone"
[ ! -e "$state/saved" ] || mv "$state/saved" "$state/saved.gone"
mv "$state/next" "$state/saved"
rm -rf "$state/saved.gone"
`;

/** Whether the saved files are what was saved: `sha256sum --check` of standard input in $1/saved. */
export const checkSavedScript = `cd "$1/saved" && exec sha256sum --check --quiet --strict -`;

/** The policy layer of invoke-rc.d(8) and deb-systemd-invoke(1p), and its end; shared by two scripts. */
const policyFunctions = `
policy=/usr/sbin/policy-rc.d
aside=$policy.before-postgres-upgrade
ours() { [ -f "$policy" ] && grep -q '^# Postgres Upgrade:' "$policy"; }
there() { [ -e "$1" ] || [ -L "$1" ]; }
open_policy() {
  if ours; then rm -f "$policy"; fi
  if there "$aside" && ! there "$policy"; then mv "$aside" "$policy"; fi
}
close_policy() {
  if there "$policy" && ! ours; then mv "$policy" "$aside"; fi
  cat >"$policy.new" <<'EOF'
#!/bin/sh
# Postgres Upgrade: packages of PostgreSQL must not stop or start a cluster while they are installed.
# It says nothing any more after two hours, should nobody have been able to remove it.
if [ -n "$(find "$0" -mmin -120)" ]; then
  for each; do
    case $each in postgresql | postgresql.service | postgresql@*) exit 101 ;; esac
  done
fi
aside=/usr/sbin/policy-rc.d.before-postgres-upgrade
if [ -x "$aside" ]; then exec "$aside" "$@"; fi
exit 0
EOF
  chmod 755 "$policy.new"
  mv "$policy.new" "$policy"
}
`;

/**
 * Installs every package file of folder $1, and nothing else: apt is given no other source. $2 an empty folder of our own,
 * $3 packages on hold, divided by blanks: the hold is put back, and so is what apt has marked as installed by itself: it
 * loses both for what is named. Clusters are neither stopped nor started meanwhile. --reinstall: apt takes a package that a
 * killed dpkg left half installed for installed, where the file has the version that it had before, and ends well.
 */
export const installScript = `
set -u
${quietly}
folder=$1 empty=$2 held=$3
${policyFunctions}
names=$(for deb in "$folder"/*.deb; do dpkg-deb --field "$deb" Package; done)
auto=$(apt-mark showauto $names)
finish() {
  open_policy
  [ -z "$auto" ] || apt-mark auto $auto >/dev/null
  [ -z "$held" ] || apt-mark hold $held >/dev/null
}
trap finish EXIT
trap 'exit 143' TERM INT HUP
close_policy || exit 1
mkdir -p "$empty/partial"
apt-get install --reinstall ${aptOptions} --option Dir::Etc::SourceList=/dev/null --option Dir::Etc::SourceParts=/dev/null \\
  --option Dir::State::Lists="$empty" --option Dir::Cache::pkgcache= --option Dir::Cache::srcpkgcache= "$folder"/*.deb || exit
broken=$(dpkg --audit $names)
[ -z "$broken" ] || { printf '%s\\n' "$broken"; exit 1; }
`;

/** Puts back what a dead installation may have left. $1 packages on hold. Finishes what dpkg left half configured. */
export const repairScript = `
set -u
${quietly}
held=$1
${policyFunctions}
finish() { open_policy; [ -z "$held" ] || apt-mark hold $held >/dev/null; }
trap finish EXIT
code=0
if [ -n "$(dpkg --audit)" ]; then
  close_policy
  dpkg --force-confdef --force-confold --configure --pending || code=$?
  # One that was killed while it was unpacked stays half installed, and is no error of --configure.
  [ -z "$(dpkg --audit)" ] || [ "$code" -ne 0 ] || code=1
fi
exit "$code"
`;

/**
 * Reads the configuration with the programs of one package file $1. $2 major, $3 data, $4 configuration. They lie where
 * the server's user may run them, for that moment.
 */
export const preflightScript = `
set -u
folder=$(mktemp -d /var/lib/postgres-upgrade-preflight.XXXXXXXX) || exit 70
trap 'rm -rf "$folder"' EXIT
trap 'exit 70' TERM INT HUP
dpkg-deb --extract "$1" "$folder" || exit 70
chmod -R a+rX "$folder"
owner=$(stat --format %U "$3")
runuser --user "$owner" -- "$folder/usr/lib/postgresql/$2/bin/postgres" -D "$3" \\
  --config-file="$4/postgresql.conf" -C shared_buffers >/dev/null
`;

/** The same with the installed programs. $1 major, $2 data, $3 configuration. */
export const installedPreflightScript = `
owner=$(stat --format %U "$2")
exec runuser --user "$owner" -- "/usr/lib/postgresql/$1/bin/postgres" -D "$2" \\
  --config-file="$3/postgresql.conf" -C shared_buffers
`;

/**
 * Starts, stops or restarts a cluster. $1 systemd or pg_ctlcluster, $2 action, $3 major, $4 cluster, $5 the server's rank
 * when memory runs out, empty for the one that is inherited. pg_ctl waits a minute by itself, and pg_ctlcluster starts
 * nothing after a stop that took longer (sub restart of it): it gets ten.
 */
export const clusterScript = `
case $1 in
  systemd) exec systemctl "$2" "postgresql@$3-$4.service" ;;
  *)
    [ -z "$5" ] || printf %s "$5" >/proc/self/oom_score_adj 2>/dev/null
    case $2 in
      start) exec pg_ctlcluster --skip-systemctl-redirect "$3" "$4" start ;;
      *) exec pg_ctlcluster --skip-systemctl-redirect --mode fast "$3" "$4" "$2" -- -t 600 ;;
    esac
    ;;
esac
`;

/**
 * How the process of a cluster is. $1 data directory: prints its number, the program behind it (with "(deleted)" where the
 * file was replaced), its rank when memory runs out; nothing where it does not run.
 */
export const processScript = `
pid=$(head -n 1 "$1/postmaster.pid" 2>/dev/null) || exit 0
case $pid in '' | *[!0-9]*) exit 0 ;; esac
[ "$(cat "/proc/$pid/comm" 2>/dev/null)" = postgres ] || exit 0
printf '%s\\n%s\\n%s\\n' "$pid" "$(readlink "/proc/$pid/exe")" "$(cat "/proc/$pid/oom_score_adj")"
`;

/** Size and end of a file, from byte $2 on, at most the last $3 bytes. $1 file; nothing where it cannot be read. */
const logEnd = `
[ -f "$1" ] && [ -r "$1" ] || exit 0
size=$(stat --dereference --format %s -- "$1")
echo "$size"
from=$2
[ "$from" -le "$size" ] || from=0
[ "$((size - from))" -le "$3" ] || from=$((size - $3))
tail -c "+$((from + 1))" -- "$1" | head -c "$3"
`;

/**
 * The same as the user to whom the data directory $4 belongs, who may put a link to anything in place of its log: root
 * would read that.
 */
export const logScript = `
data=$4
set -- sh -c ${quote(logEnd)} sh "$1" "$2" "$3"
[ "$(id -u)" = 0 ] || exec "$@"
user=$(stat --dereference --format %u -- "$data") && group=$(stat --dereference --format %g -- "$data") || exit 0
exec setpriv --reuid "$user" --regid "$group" --clear-groups -- "$@"
`;

/** Free room: for each path of "$@" its filesystem, bytes free, path; of the nearest folder that is there. */
export const disksScript = `
for path; do
  near=$path
  while [ ! -e "$near" ]; do near=$(dirname "$near"); done
  printf '%s|%s|%s\\n' "$(stat --dereference --format %d "$near")" "$(stat --file-system --format '%a|%S' "$near")" "$path"
done
`;

/**
 * Removes what the way back does not need; with $2 "all" also that. $1 state folder. Nothing while a job is at work: a
 * download that a cancelled run left to itself still writes there.
 */
export const tidyScript = `
if [ -e "$1/jobs/lock" ]; then
  exec 9<"$1/jobs/lock"
  flock --nonblock 9 || exit 0
fi
rm -rf "$1/next" "$1/saved.gone" "$1/empty"
[ "$2" != all ] || rm -rf "$1/saved"
# Of preflights that were killed; those of other targets may be at work.
find /var/lib -maxdepth 1 -type d -name 'postgres-upgrade-preflight.????????' -cmin +60 -exec rm -rf {} +
`;

/** Runs a command of an application; what administrators install themselves is found too. */
export const applicationScript = 'PATH=/usr/local/sbin:/usr/local/bin:$PATH\nexport PATH\nexec "$@"';
