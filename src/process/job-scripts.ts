/** The scripts of jobs, for a host's POSIX shell (with Debian's coreutils and util-linux). */

/**
 * Whether a job is at work. The process of a number is the one that was meant only where it began at the same time of the
 * same boot (proc(5): field 22 of stat, and random/boot_id). Should only the keeper of a job have been killed, its work
 * goes on in the same session, and counts. Call: `alive FOLDER`.
 */
const alive = `
stat_of() {
  read -r line 2>/dev/null <"/proc/$1/stat" || return 1
  set -- \${line##*) }
  process_state=$1 session=$4 start=\${20}
}
alive() {
  read -r its_pid 2>/dev/null <"$1/pid" || return 1
  read -r its_boot its_start its_session 2>/dev/null <"$1/birth" || return 1
  read -r boot </proc/sys/kernel/random/boot_id
  [ "$boot" = "$its_boot" ] || return 1
  if stat_of "$its_pid" && [ "$start" = "$its_start" ] && [ "$process_state" != Z ]; then return 0; fi
  [ ! -e "$1/rc" ] || return 1
  for each in /proc/[0-9]*; do
    if stat_of "\${each#/proc/}" && [ "$session" = "$its_session" ] && [ "$process_state" != Z ]; then return 0; fi
  done
  return 1
}
`;

/**
 * Keeps a job: leads its session, holds the lock (descriptor 9, which nothing that it starts gets), and writes how it
 * ended. $1 folder of the job; the rest are the job's arguments.
 */
const keeper = `
dir=$1
shift
read -r line </proc/$$/stat
read -r boot </proc/sys/kernel/random/boot_id
printf '%s %s\\n' "$boot" "$(set -- \${line##*) }; echo "\${20} $4")" >"$dir/birth"
echo $$ >"$dir/pid.new"
mv "$dir/pid.new" "$dir/pid"
(
  umask 022
  cd /
  exec sh "$dir/script" "$@" </dev/null >>"$dir/out" 2>&1 9>&-
)
echo $? >"$dir/rc.new"
sync "$dir/rc.new"
mv "$dir/rc.new" "$dir/rc"
sync "$dir"
`;

/**
 * Starts a keeper where the login's end does not reach it: logind may end everything of a session (KillUserProcesses), so
 * under systemd it gets a scope of its own. $1 the keeper, $2 folder of the job, the rest are the job's arguments.
 */
const launcher = `
keeper=$1
shift
if [ -d /run/systemd/system ] && command -v systemd-run >/dev/null; then
  systemd-run --quiet --scope --collect --description 'PostgreSQL upgrade' sh -c "$keeper" sh "$@"
  [ ! -e "$1/pid" ] || exit 0
fi
exec sh -c "$keeper" sh "$@"
`;

/**
 * Starts a job. $1 folder of all, $2 name, $3 id of this attempt, $4 keeper, $5 launcher, $6 the script, then its arguments.
 * Prints `started`, also where this very attempt was started before; `busy NAME ID` where a job is at work; `busy` where
 * another is about to start.
 */
export const startScript = `
set -eu
${alive}
umask 077
folder=$1 name=$2 id=$3 keeper=$4 launcher=$5 script=$6
shift 6
dir=$folder/$name
mkdir -p "$folder"
exec 9>>"$folder/lock"
other=
if [ -e "$folder/current" ]; then read -r other other_id <"$folder/current" || other=; fi
if ! flock --nonblock 9; then
  if [ -n "$other" ] && [ -e "$folder/$other/pid" ] && alive "$folder/$other"; then echo "busy $other $other_id"; else echo busy; fi
  exit 0
fi
if [ -n "$other" ] && [ ! -e "$folder/$other/rc" ] && alive "$folder/$other"; then
  echo "busy $other $other_id"
  exit 0
fi
if [ -e "$dir/pid" ] && [ "$(cat "$dir/id")" = "$id" ]; then
  echo started
  exit 0
fi
# Whoever still follows the one before finds its end there.
rm -rf "$dir.before"
[ ! -e "$dir" ] || mv "$dir" "$dir.before"
mkdir "$dir"
printf '%s\\n' "$script" >"$dir/script"
: >"$dir/out"
printf '%s\\n' "$id" >"$dir/id"
printf '%s %s\\n' "$name" "$id" >"$folder/current.new"
mv "$folder/current.new" "$folder/current"
setsid --fork sh -c "$launcher" sh "$keeper" "$dir" "$@" </dev/null >/dev/null 2>&1
tries=0
while [ ! -e "$dir/pid" ] && [ "$tries" -lt 500 ]; do
  tries=$((tries + 1))
  sleep 0.01
done
[ -e "$dir/pid" ] || { echo 'it did not begin within 5 seconds' >&2; exit 1; }
echo started
`;

/** What `startScript` takes as $4 and $5. */
export const startParts: readonly [string, string] = [keeper, launcher];

/**
 * Waits for something new. $1 folder of the job, $2 id, $3 bytes of output that are known, $4 most bytes to send, $5 how
 * often to look: 10 times within 0.2 seconds, 10 within half a second, then every 0.2 seconds. Prints a line `running SIZE`, `ended SIZE CODE`, `lost SIZE`, or `gone`; then new output as base64.
 */
export const watchScript = `
${alive}
dir=$1 id=$2 from=$3 most=$4 patience=$5
is_it() { cd "$1" 2>/dev/null && [ "$(cat id 2>/dev/null)" = "$id" ]; }
is_it "$dir" || is_it "$dir.before" || { echo gone; exit 0; }
# Its folder may be moved aside meanwhile.
dir=.
tries=0
while :; do
  state=running
  if [ -e "$dir/rc" ]; then state=ended
  elif ! alive "$dir"; then if [ -e "$dir/rc" ]; then state=ended; else state=lost; fi
  fi
  size=$(stat --format %s "$dir/out" 2>/dev/null || echo 0)
  if [ "$state" != running ] || [ "$size" -gt "$from" ] || [ "$tries" -ge "$patience" ]; then break; fi
  tries=$((tries + 1))
  if [ "$tries" -le 10 ]; then sleep 0.02; elif [ "$tries" -le 20 ]; then sleep 0.05; else sleep 0.2; fi
done
code=
if [ "$state" = ended ]; then code=$(cat "$dir/rc"); fi
echo "$state $size $code"
tail -c "+$((from + 1))" "$dir/out" 2>/dev/null | head -c "$most" | base64 --wrap=0
`;

/** Which job is at work. $1 folder of all. Prints `NAME ID`, or nothing; waits for one that is about to start. */
export const currentScript = `
${alive}
folder=$1
[ -e "$folder/lock" ] || exit 0
exec 9<"$folder/lock"
tries=0
while :; do
  if read -r name id 2>/dev/null <"$folder/current" && [ ! -e "$folder/$name/rc" ] && alive "$folder/$name"; then
    echo "$name $id"
    exit 0
  fi
  if flock --nonblock 9 || [ "$tries" -ge 20 ]; then exit 0; fi
  tries=$((tries + 1))
  sleep 0.05
done
`;
