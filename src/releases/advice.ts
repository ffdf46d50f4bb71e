/** What a piece of release advice is: what to do, why, how to find the objects, and whether the action may do it. */

/** One kind of advice. Which releases ask for it is in the table of releases. */
export interface Advice {
  /** Stable; used in the record and the documentation's anchors. */
  id: string;
  /** A short sentence without a full stop: "GiST indexes can miss rows". */
  title: string;
  /** What goes wrong without it, in a sentence or two. */
  why: string;
  /** What to do, in a sentence. */
  todo: string;
  /** When: before the upgrade, after it, either, or in an order of servers. */
  timing: 'before' | 'after' | 'either' | 'order';
  /**
   * `exact`: every object found needs it. `candidates`: the objects found may need it. `cannot-be-seen`: the catalog
   * does not tell; what `sql` finds is only where it could matter.
   */
  certainty: 'exact' | 'candidates' | 'cannot-be-seen';
  /** `database`: asked in each. `cluster`: asked once. `client`: about programs and scripts, nobody is asked. */
  scope: 'database' | 'cluster' | 'client';
  /** Also in databases that accept no connections or are templates: initdb filled them too. */
  templates?: true;
  /**
   * One statement, read only, every name qualified, on the running server of any major since 13. A row an object:
   * `object` text (qualified, quoted as SQL needs it), `fix` text or null (a whole statement), `safe` boolean (the
   * action may run `fix`), `detail` text or null. No LIMIT: whoever asks adds it. Null where nothing can be asked.
   */
  sql: string | null;
  /** Where `sql` asks for indexes: its condition alone, so that one pass over all indexes can ask for several. */
  index?: string;
  /** How the action carries it out with `advice: apply`; null: a person does. */
  remedy: Remedy | null;
  /** A new major by dump and restore builds what it concerns anew: nothing is left to do then. */
  rebuiltByRestore: boolean;
  /** Asks who is connected at this moment: whether it applies moves by itself, so no approval depends on it. */
  momentary?: true;
  /** About what belongs to a server's programs (settings, builds of extensions): each major has its own to be done. */
  perServer?: true;
}

/**
 * `statements`: the `fix` of every object that is `safe`. `script`: a file of the new server's SHAREDIR, in every
 * database. `list-setting`: the objects' names are added to a setting that only the new version knows.
 */
type Remedy =
  | { kind: 'statements' }
  | { kind: 'script'; file: string }
  | { kind: 'list-setting'; name: string; defaults: readonly string[] };
