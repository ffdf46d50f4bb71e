/** The scripts of a scratch server on the machine of the cluster. Data comes in as arguments, never as text of a script. */

/** Prints those of the extensions "$@" (behind $1, the major) whose control file is not the server package's own. */
export const foreignScript = `
major=$1
shift
for name; do
  owner=$(dpkg-query --search "/usr/share/postgresql/$major/extension/$name.control" 2>/dev/null) || owner=
  case $owner in "postgresql-$major:"*) ;; *) printf '%s\\n' "$name" ;; esac
done
`;

/**
 * Makes a cluster in the new folder $1 and runs it until nobody attends to it any more; then it is removed. $2 major,
 * $3 superuser, $4 encoding, $5 lines for postgresql.conf, $6 password, $7 printed once it serves.
 */
export const scratchScript = `
set -u
folder=$1 bin=/usr/lib/postgresql/$2/bin
mkdir -m 711 "$folder" || exit 70
as() { setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups -- "$@"; }
finish() {
  trap - EXIT TERM INT HUP
  [ ! -e "$folder/data/postmaster.pid" ] || as "$bin/pg_ctl" stop -D "$folder/data" -m immediate -w -t 30 >/dev/null 2>&1
  rm -rf "$folder"
}
trap finish EXIT
trap 'exit 1' TERM INT HUP
mkdir -m 700 "$folder/data" "$folder/socket"
( umask 077; printf '%s\\n' "$6" >"$folder/password" )
chown nobody "$folder/data" "$folder/socket" "$folder/password"
as "$bin/initdb" -D "$folder/data" -U "$3" -A scram-sha-256 --pwfile="$folder/password" -E "$4" --locale=C --no-sync >"$folder/said" 2>&1 ||
  { cat "$folder/said" >&2; exit 70; }
rm -f "$folder/password"
printf '\\n%s' "$5" | as tee -a "$folder/data/postgresql.conf" >/dev/null
echo 1000 >/proc/self/oom_score_adj 2>/dev/null
cut=
unshare --net true 2>/dev/null && cut='unshare --net --'
$cut setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups -- env PGHOST="$folder/socket" \\
  "$bin/pg_ctl" start -D "$folder/data" -l "$folder/data/server.log" -w -t 60 >"$folder/said" 2>&1 8<&- ||
  { cat "$folder/said" "$folder/data/server.log" >&2; exit 70; }
echo "$7"
bash -c 'while read -r -t 60 _; do :; done' <&8
exit 0
`;
