/**
 * The scripts about one cluster and its files. Data comes in as arguments, never as text of a script; POSIX sh, as root,
 * with a clean environment.
 */
import { quote } from '../../process/quote.ts';

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
