/**
 * The scripts that fetch, keep and install packages. Data comes in as arguments, never as text of a script; POSIX sh, as
 * root, with a clean environment.
 */

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
