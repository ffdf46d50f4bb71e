/** Checks that can be asked of a restored copy: those about its content. Everything else is the target's own affair. */

const ofContent: ReadonlySet<string> = new Set([
  'array-func-dependents',
  'c-libraries',
  'collation-objects',
  'collation-versions',
  'custom-settings',
  'database-encodings',
  'extensions',
  'inet-btree-gist',
  'invalid-constraints',
  'invalid-databases',
  'invalid-indexes',
  'not-null-inheritance',
  'odd-names',
  'preload',
  'reg-types',
  'role-db-settings',
  'search-path-fragile-functions',
  'sequences',
  'system-view-dependents',
  'untrusted-plpython2',
]);

/** Whether a check says something about a copy. */
export function tellsOfCopy(id: string): boolean {
  return ofContent.has(id);
}
