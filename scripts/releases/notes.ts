/**
 * Reads the release notes of a branch: the file doc/src/sgml/release-<major>.sgml of PostgreSQL's source. Finds what
 * seems to ask something of the reader; what it means is for a person to say.
 */

/** What the notes of one release say. */
export interface Notes {
  version: string;
  /** YYYY-MM-DD; null where it is not released yet. */
  date: string | null;
  /** The section "Migration" asks for something of its own. */
  asks: boolean;
  /** The release whose migration notes it refers to. */
  alsoSee: string | null;
  cves: string[];
  /** Named by entries all of whose commits are in other branches: a slip of the notes, nothing that this one fixes. */
  strayCves: string[];
  /** What seems to ask for something: where it stands, by which words, and the text, in lower case. */
  suspects: { where: string; text: string }[];
}

const keywords = new RegExp(
  [
    ...['re-?index', 're-?creat', 'rebuilding', 'after updating', 'after installing', 'must add'],
    ...['recommended', 'advisable', 'existing (?:database )?clusters?', 'standby[^.]*before'],
  ].join('|'),
  'gi',
);

/** Text without comments, tags and entities, blanks folded. References become the version that they name. */
function plain(sgml: string): string {
  return sgml
    .replace(/<xref\s+linkend="release-(\d+)-(\d+)"\s*\/?>/g, '$1.$2')
    .replace(/<[^>]*>/g, '')
    .replace(/&[\w#]+;/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}

/** The outermost list items, with their tags: an entry may hold a list of its own. */
function entriesOf(sgml: string): string[] {
  const entries: string[] = [];
  let depth = 0;
  let start = 0;
  for (const tag of sgml.matchAll(/<(\/?)listitem\b[^>]*>/g)) {
    if (tag[1] === '') {
      if (depth === 0) start = tag.index + tag[0].length;
      depth += 1;
    } else {
      depth -= 1;
      if (depth === 0) entries.push(sgml.slice(start, tag.index));
      if (depth < 0) throw new Error('a </listitem> closes nothing');
    }
  }
  if (depth !== 0) throw new Error('a <listitem> is not closed');
  return entries;
}

/** CVEs in brackets at the end of a paragraph: those that the entry fixes. Anywhere else they are mentioned only. */
function fixedIn(entry: string): string[] {
  return entry.split('</para>').flatMap((paragraph) => {
    const [brackets] = /\([^()]*CVE-\d{4}-\d{4,}[^()]*\)$/.exec(plain(paragraph)) ?? [];
    return brackets?.match(/CVE-\d{4}-\d{4,}/g) ?? [];
  });
}

/** A comment with the commits of an entry becomes a tag with their branches; other comments go. */
function withoutComments(sgml: string): string {
  return sgml.replace(/<!--[\s\S]*?-->/g, (comment) => {
    const branches = [...comment.matchAll(/^\s*Branch: (\w+)/gm)].map(([, branch]) => branch);
    return branches.length === 0 ? '' : `<branches ${branches.join(' ')}>`;
  });
}

/** Does an entry name commits, but none of this major's branch? */
function isStray(entry: string, major: string): boolean {
  const branches = [...entry.matchAll(/<branches ([^>]*)>/g)].flatMap(([, names = '']) => names.split(' '));
  return branches.length > 0 && !branches.includes(`REL_${major}_STABLE`);
}

const chain = /^(?:however|also), if you are upgrading from a version earlier than (\d+\.\d+)/i;

/** Reads one section of the file. @throws Error on text that is not as expected */
function sectionOf(version: string, sgml: string): Notes {
  const [, day = ''] = /Release date:<\/title>\s*<para>\s*([^<]*?)\s*<\/para>/.exec(sgml) ?? [];
  const [, migration = '', after] =
    /<title>Migration to Version [^<]*<\/title>([\s\S]*?)<\/sect2>([\s\S]*)$/.exec(sgml) ?? [null, '', sgml];
  const sentences = plain(migration).split(/(?<=[.!?])\s+(?=[A-Z])/);
  // What follows a turn belongs to it: what is wrong often stands in the first sentence, what to do in the next. A
  // section that asks without such a turn is told by its words.
  const turns: string[] = [];
  for (const sentence of sentences) {
    const begins =
      /^(however|also)\b/i.test(sentence) || (turns.length === 0 && sentence.search(keywords) >= 0);
    if (begins) turns.push(sentence);
    else if (turns.length > 0) turns.push(`${turns.pop()} ${sentence}`);
  }
  const own = turns.filter((sentence) => !chain.test(sentence));
  const entries = entriesOf(after ?? '');
  const [major = ''] = version.split('.');
  const [stray = [], fixes = []] = [true, false].map((wanted) =>
    entries.filter((entry) => isStray(entry, major) === wanted).flatMap(fixedIn),
  );
  const swept = entries.map(plain).flatMap((entry, index) => {
    const words = new Set((entry.match(keywords) ?? []).map((word) => word.toLowerCase().split(' ')[0]));
    return words.size === 0
      ? []
      : [{ where: `entry ${index + 1} (${[...words].join(', ')})`, text: entry.toLowerCase() }];
  });
  return {
    version,
    date: /^\d{4}-\d{2}-\d{2}$/.test(day) ? day : null,
    asks: own.length > 0,
    alsoSee: turns.map((sentence) => chain.exec(sentence)?.[1]).find((found) => found) ?? null,
    cves: [...new Set(fixes)],
    strayCves: [...new Set(stray.filter((id) => !fixes.includes(id)))],
    suspects: [
      ...own.map((sentence, index) => ({ where: `migration ${index + 1}`, text: sentence.toLowerCase() })),
      ...swept,
    ],
  };
}

/**
 * The minor releases of one file, in its order. A major's first release is left out: it is reached by dump and
 * restore, and its notes must be read in any case.
 * @throws Error where the text holds no section of a release, or a section is broken
 */
export function parseNotes(sgml: string): Notes[] {
  const text = withoutComments(sgml);
  const sections = [
    ...text.matchAll(/<sect1\s+id="release-(\d+)(?:-(\d+))?"[^>]*>([\s\S]*?)(?=<sect1\b|$)/g),
  ];
  if (sections.length === 0) throw new Error('no <sect1 id="release-..."> in it: these are no release notes');
  return sections.flatMap(([, major, minor, body = '']) => {
    if (minor === undefined) return [];
    const version = `${major}.${minor}`;
    try {
      return [sectionOf(version, body)];
    } catch (cause) {
      throw new Error(`section of ${version}: ${(cause as Error).message}`, { cause });
    }
  });
}
