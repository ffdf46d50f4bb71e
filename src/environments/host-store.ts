/** A journal in files on a host, in the format of `file-store.ts`. */
import { randomUUID } from 'node:crypto';
import { UpgradeError } from '../errors.ts';
import type { Host, ProgramAnswer } from '../process/host.ts';
import { lastLines } from '../process/run.ts';
import type { LineStore } from './environment.ts';

/**
 * $1 folder, $2 the line, $3 an id of this call. A line that a crash cut is taken away first. The id and the size before
 * are written ahead: where the same call arrives twice, what the first one wrote is taken back.
 */
const appendScript = `
set -eu
umask 077
file=$1/journal.jsonl
[ -d "$1" ] || { mkdir -p "$(dirname -- "$1")" && mkdir "$1"; }
exec 9>>"$1/journal.append"
flock 9
size=0
if [ -e "$file" ]; then
  size=$(stat --format %s -- "$file")
  if [ -n "$(tail -c 1 -- "$file")" ]; then
    size=$((size - $(tail -n 1 -- "$file" | wc -c)))
    truncate --size "$size" -- "$file"
  fi
fi
id= before=0
read -r id before <"$1/journal.append" || :
if [ "$id" = "$3" ] && [ "$before" -lt "$size" ]; then
  truncate --size "$before" -- "$file"
  size=$before
fi
printf '%s %s\\n' "$3" "$size" >"$1/journal.append"
new=
[ -e "$file" ] || new=yes
printf '%s\\n' "$2" >>"$file"
sync -- "$file"
[ -z "$new" ] || sync -- "$1"
`;

/** $1 folder, $2 name. */
const archiveScript = `
[ -e "$1/journal.jsonl" ] || exit 0
mv --no-target-directory -- "$1/journal.jsonl" "$1/journal-$2.jsonl" && sync -- "$1"
`;

/** Archives in "$1", newest first: names sort by time. */
const listed = `
cd "$1" 2>/dev/null || exit 0
for each in journal-*.jsonl; do [ -f "$each" ] && echo "$each"; done | sort --reverse`;

/** No line of JSON begins with this: it stands between two archives. */
const divider = '\u001e';

const readArchivesScript = `${listed} | while read -r each; do cat -- "$each"; printf '\\036\\n'; done`;
const pruneScript = `keep=$2${listed} | tail -n "+$((keep + 1))" | while read -r each; do rm -f -- "$each"; done`;

/** Lines in `folder/journal.jsonl` there; archives beside it. */
export function hostStore(host: Host, folder: string): LineStore {
  const file = `${folder}/journal.jsonl`;
  const work = async (what: string, script: string, ...args: string[]): Promise<ProgramAnswer> => {
    const answer = await host.script(script, [folder, ...args]);
    if (answer.code === 0) return answer;
    throw new UpgradeError('journal-write', `The journal ${file} on ${host.name} cannot be ${what}.`, {
      hint: `${lastLines(answer.stderr)}\nWithout it a killed run could not be put right again. Make room there, or name another folder in environment.state.`,
    });
  };
  return {
    where: host.remote ? `${host.name}:${file}` : file,
    async read() {
      return wholeLines((await host.read(file)) ?? '');
    },
    async append(line) {
      await work('written', appendScript, line, randomUUID());
    },
    async archive(name) {
      if (!/^\w[\w-]*$/.test(name)) throw new Error(`${name} is no name of an archive`);
      await work('moved away', archiveScript, name);
    },
    async discard() {
      await work('removed', 'rm -f -- "$1/journal.jsonl"');
    },
    async readArchives() {
      const { stdout } = await work('read', readArchivesScript);
      return stdout.split(`${divider}\n`).slice(0, -1).map(wholeLines);
    },
    async prune(keep) {
      await work('tidied', pruneScript, String(keep));
    },
  };
}

/** A line without its newline was cut by a crash while it was written: nothing was done on its word yet. */
function wholeLines(text: string): string[] {
  return text.split('\n').slice(0, -1);
}
