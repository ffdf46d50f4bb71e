/** Advice about client programs, scripts and extensions. */
import type { Advice } from './advice.ts';

/** \restrict. */
export const plainDumps: Advice = {
  id: 'plain-dump-restrict',
  title: 'Plain dumps need a psql as new as the pg_dump',
  why: 'pg_dump and pg_dumpall of the newer release begin a plain dump with \\restrict. A psql of an older minor release stops at it with "invalid command".',
  todo: 'Upgrade psql wherever plain dumps are restored; or dump in the custom or directory format and restore with pg_restore.',
  timing: 'before',
  certainty: 'exact',
  scope: 'client',
  sql: null,
  remedy: null,
  rebuiltByRestore: false,
};

/** COPY FROM STDIN. */
export const failedCopy: Advice = {
  id: 'psql-failed-copy-inline-data',
  title: 'psql scripts with a COPY that is meant to fail need a terminator',
  why: 'The newer psql takes what follows a COPY FROM STDIN for its data even if the command fails at once, and skips it up to a line with \\. alone. Scripts that count on the failure (tests, mostly) and lack this line lose the commands that follow.',
  todo: 'Add a line with \\. after each COPY FROM STDIN that is meant to fail.',
  timing: 'before',
  certainty: 'cannot-be-seen',
  scope: 'client',
  sql: null,
  remedy: null,
  rebuiltByRestore: false,
};

/** The function bodies only hint at use: applications encrypt from outside as well. */
export const pgpCiphers: Advice = {
  id: 'pgcrypto-pgp-unsupported-cipher',
  title: 'Data that pgcrypto encrypted with an unsupported cipher no longer decrypts',
  why: 'Where OpenSSL refused bf, blowfish, twofish, cast5 or 3des (FIPS mode, no legacy provider), older releases of the PGP functions encrypted without protection and said nothing. The newer release refuses such data.',
  todo: 'Decrypt such data with ignore-cipher-failure=1 and encrypt it again with a modern cipher; leave OpenSSL as it is until then.',
  timing: 'after',
  certainty: 'cannot-be-seen',
  scope: 'database',
  sql: `
SELECT pg_catalog.format('%I', e.extname) AS object, NULL::pg_catalog.text AS fix, false AS safe,
       pg_catalog.format('version %s; %s functions of this database encrypt with it', e.extversion,
         (SELECT pg_catalog.count(*) FROM pg_catalog.pg_proc AS p
          JOIN pg_catalog.pg_language AS l ON l.oid = p.prolang
          WHERE l.lanname NOT IN ('c', 'internal') AND p.prosrc ~* 'pgp_(sym|pub)_encrypt')) AS detail
FROM pg_catalog.pg_extension AS e WHERE e.extname = 'pgcrypto'`,
  remedy: null,
  rebuiltByRestore: false,
};

/** Extensions that come with the server's own programs, so that they are always of its release. */
const bundled = [
  ...['adminpack', 'amcheck', 'autoinc', 'bloom', 'bool_plperl', 'bool_plperlu', 'btree_gin', 'btree_gist'],
  ...['citext', 'cube', 'dblink', 'dict_int', 'dict_xsyn', 'earthdistance', 'file_fdw', 'fuzzystrmatch'],
  ...[
    'hstore',
    'hstore_plperl',
    'hstore_plperlu',
    'hstore_plpython3u',
    'insert_username',
    'intagg',
    'intarray',
  ],
  ...['isn', 'jsonb_plperl', 'jsonb_plperlu', 'jsonb_plpython3u', 'lo', 'ltree', 'ltree_plpython3u'],
  ...['moddatetime', 'old_snapshot', 'pageinspect', 'pg_buffercache', 'pg_freespacemap', 'pg_logicalinspect'],
  ...[
    'pg_prewarm',
    'pg_stat_statements',
    'pg_surgery',
    'pg_trgm',
    'pg_visibility',
    'pg_walinspect',
    'pgcrypto',
  ],
  ...['pgrowlocks', 'pgstattuple', 'plperl', 'plperlu', 'plpgsql', 'plpython3u', 'pltcl', 'pltclu'],
  ...['postgres_fdw', 'refint', 'seg', 'sslinfo', 'tablefunc', 'tcn', 'tsm_system_rows', 'tsm_system_time'],
  ...['unaccent', 'uuid-ossp', 'xml2'],
];

/** Which extensions were built against which release is not recorded, nor whether they handle composite values. */
export const extensionBuilds: Advice = {
  id: 'composite-type-versioning-extensions',
  title: 'Extensions in C may need a build for the newer release',
  why: 'The newer release can tell when a composite type changed under a value. Extensions in C that handle composite values are fully protected only when they were built against it.',
  todo: 'Install builds of these extensions that were made against the newer release; some need changes of their source. composite_type_mismatch turns the check off, at a risk to security.',
  timing: 'after',
  certainty: 'candidates',
  scope: 'database',
  sql: `
SELECT pg_catalog.format('%I', e.extname) AS object, NULL::pg_catalog.text AS fix, false AS safe,
       pg_catalog.format('version %s', e.extversion) AS detail
FROM pg_catalog.pg_extension AS e
WHERE e.extname NOT IN (${bundled.map((name) => `'${name}'`).join(', ')})
  AND EXISTS (SELECT FROM pg_catalog.pg_depend AS d
              JOIN pg_catalog.pg_proc AS p ON p.oid = d.objid
              JOIN pg_catalog.pg_language AS l ON l.oid = p.prolang
              WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.deptype = 'e'
                AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.refobjid = e.oid
                AND l.lanname = 'c')
ORDER BY 1`,
  remedy: null,
  rebuiltByRestore: false,
  perServer: true,
};
