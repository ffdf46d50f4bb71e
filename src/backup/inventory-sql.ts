/** The statements behind an inventory; each runs on PostgreSQL 13 and later with `search_path = pg_catalog`. */

const userSchema = (alias: string): string =>
  `${alias}.nspname !~ '^pg_' AND ${alias}.nspname <> 'information_schema'`;
const ofExtension = (catalog: string, oid: string): string =>
  `EXISTS (SELECT FROM pg_depend d WHERE d.classid = '${catalog}'::regclass AND d.objid = ${oid} AND d.deptype = 'e')`;

/** A child by plain inheritance. Where its parent got a column later, a restore makes it with its columns in another order. */
const inherits = `NOT c.relispartition AND EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = c.oid)`;

/**
 * Tables that hold rows: ordinary ones (partitions among them), materialized views, foreign tables.
 * `columns` is null where the order of columns can be relied on.
 */
export const tableList = `
  SELECT n.nspname AS schema, c.relname AS name, c.relkind::text AS kind, ${ofExtension('pg_class', 'c.oid')} AS extension,
         CASE WHEN ${inherits} THEN ARRAY(SELECT a.attname::text FROM pg_attribute a
           WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attname COLLATE "C") END AS columns
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'm', 'f') AND c.relpersistence <> 't' AND ${userSchema('n')}
  ORDER BY 1, 2`;

/** Every sequence outside of extensions. */
export const sequenceList = `
  SELECT n.nspname AS schema, c.relname AS name
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'S' AND c.relpersistence <> 't' AND ${userSchema('n')} AND NOT ${ofExtension('pg_class', 'c.oid')}
  ORDER BY 1, 2`;

/**
 * Large objects by their pages. A hole in a sparse object comes back from a restore as zeros, so zero bytes at
 * a page's end, and pages of zeros, do not count.
 */
export const largeObjectSum = `
  SELECT (SELECT count(*) FROM pg_largeobject_metadata)::int AS count,
         coalesce(sum(hashtextextended(loid || ':' || pageno || ':' || rtrim(encode(data, 'hex'), '0'), 0)), 0)::text AS fingerprint
  FROM pg_largeobject WHERE rtrim(encode(data, 'hex'), '0') <> ''`;

/**
 * Definitions are compared without casts, parentheses and white space: reading an expression back moves them
 * (\`x IN ('a', 'b')\` on a varchar column is the known case), and nothing else.
 */
const shape = (definition: string): string =>
  `md5(regexp_replace(coalesce(${definition}, ''), '::[a-z_ ]+(\\[\\])?|[()\\s]', '', 'g'))`;

/** Privileges in one order; an absent list means the built-in default, which a restore leaves absent. */
const privileges = (acl: string, kind: string, owner: string): string =>
  `(SELECT string_agg(a::text, ',' ORDER BY a::text COLLATE "C") FROM unnest(coalesce(${acl}, acldefault('${kind}', ${owner}))) a)`;

const relation = `
  SELECT CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'
           WHEN 'S' THEN 'sequence' WHEN 'f' THEN 'foreign table' ELSE 'composite type' END
         || ' ' || quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS identity,
         md5(concat_ws('|', c.relpersistence, c.relrowsecurity, c.relforcerowsecurity, c.relispopulated,
           pg_get_userbyid(c.relowner), CASE c.relkind WHEN 'S' THEN ${privileges('c.relacl', 's', 'c.relowner')} ELSE ${privileges('c.relacl', 'r', 'c.relowner')} END,
           pg_get_expr(c.relpartbound, c.oid), (SELECT string_agg(o, ',' ORDER BY o COLLATE "C") FROM unnest(c.reloptions) o),
           (SELECT string_agg(concat_ws(' ', quote_ident(a.attname), format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated,
                     (SELECT k.collname FROM pg_collation k WHERE k.oid = a.attcollation), ${privileges('a.attacl', 'c', 'c.relowner')}), ',' ORDER BY CASE WHEN ${inherits} THEN a.attname COLLATE "C" END, a.attnum)
            FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
           CASE WHEN c.relkind IN ('v', 'm') THEN ${shape('pg_get_viewdef(c.oid)')} END)) AS hash
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'c') AND c.relpersistence <> 't' AND ${userSchema('n')} AND NOT ${ofExtension('pg_class', 'c.oid')}`;

const columnDefault = `
  SELECT 'default of ' || quote_ident(n.nspname) || '.' || quote_ident(c.relname) || '.' || quote_ident(a.attname), ${shape('pg_get_expr(f.adbin, f.adrelid)')}
  FROM pg_attrdef f JOIN pg_class c ON c.oid = f.adrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = f.adrelid AND a.attnum = f.adnum
  WHERE ${userSchema('n')} AND c.relpersistence <> 't' AND NOT ${ofExtension('pg_class', 'c.oid')}`;

const index = `
  SELECT 'index ' || quote_ident(n.nspname) || '.' || quote_ident(c.relname), ${shape('pg_get_indexdef(c.oid)')}
  FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE x.indisvalid AND c.relpersistence <> 't' AND ${userSchema('n')} AND NOT ${ofExtension('pg_class', 'x.indrelid')}`;

/** The foreign keys of partitions follow from their parent's, and are numbered in whatever order they were attached. */
const constraint = `
  SELECT 'constraint ' || quote_ident(k.conname) || ' on ' || coalesce(quote_ident(n.nspname) || '.' || quote_ident(c.relname), format_type(k.contypid, NULL)),
         md5(k.contype::text || k.convalidated::text || ${shape('pg_get_constraintdef(k.oid)')})
  FROM pg_constraint k LEFT JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = k.connamespace
  WHERE ${userSchema('n')} AND k.contype <> 't' AND NOT (k.contype = 'f' AND k.conparentid <> 0) AND NOT ${ofExtension('pg_class', 'k.conrelid')} AND NOT ${ofExtension('pg_type', 'k.contypid')}`;

const trigger = `
  SELECT 'trigger ' || quote_ident(t.tgname) || ' on ' || quote_ident(n.nspname) || '.' || quote_ident(c.relname), md5(t.tgenabled::text || ${shape('pg_get_triggerdef(t.oid)')})
  FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE NOT t.tgisinternal AND ${userSchema('n')} AND NOT ${ofExtension('pg_trigger', 't.oid')}`;

/** A body that is stored parsed (\`BEGIN ATOMIC\`, 14 and later) is read back as an expression is. */
const routine = `
  SELECT 'routine ' || quote_ident(n.nspname) || '.' || quote_ident(p.proname) || '(' || pg_get_function_identity_arguments(p.oid) || ')',
         md5(concat_ws('|', p.prokind, pg_get_userbyid(p.proowner), ${privileges('p.proacl', 'f', 'p.proowner')}, CASE WHEN p.prokind <> 'a' THEN
           CASE WHEN to_jsonb(p) ->> 'prosqlbody' IS NULL THEN pg_get_functiondef(p.oid) ELSE ${shape('pg_get_functiondef(p.oid)')} END END))
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
  WHERE ${userSchema('n')} AND NOT ${ofExtension('pg_proc', 'p.oid')}`;

const type = `
  SELECT 'type ' || quote_ident(n.nspname) || '.' || quote_ident(t.typname),
         md5(concat_ws('|', t.typtype, t.typnotnull, t.typdefault, format_type(t.typbasetype, t.typtypmod),
           (SELECT string_agg(quote_literal(e.enumlabel), ',' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid)))
  FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
  WHERE t.typtype IN ('e', 'd', 'r') AND ${userSchema('n')} AND NOT ${ofExtension('pg_type', 't.oid')}`;

const policy = `
  SELECT 'policy ' || quote_ident(l.polname) || ' on ' || quote_ident(n.nspname) || '.' || quote_ident(c.relname),
         md5(concat_ws('|', l.polcmd, l.polpermissive, ${shape('pg_get_expr(l.polqual, l.polrelid)')}, ${shape('pg_get_expr(l.polwithcheck, l.polrelid)')},
           (SELECT string_agg(coalesce(r.rolname, 'public'), ',' ORDER BY r.rolname) FROM unnest(l.polroles) o LEFT JOIN pg_roles r ON r.oid = o)))
  FROM pg_policy l JOIN pg_class c ON c.oid = l.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace`;

const others = `
  SELECT 'schema ' || quote_ident(n.nspname), md5(pg_get_userbyid(n.nspowner) || ${privileges('n.nspacl', 'n', 'n.nspowner')})
  FROM pg_namespace n WHERE ${userSchema('n')} AND NOT ${ofExtension('pg_namespace', 'n.oid')}
  UNION ALL SELECT 'extension ' || quote_ident(extname), md5(extnamespace::regnamespace::text) FROM pg_extension
  UNION ALL SELECT 'rule ' || quote_ident(r.rulename) || ' on ' || r.ev_class::regclass::text, ${shape('pg_get_ruledef(r.oid)')}
    FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE r.rulename <> '_RETURN' AND ${userSchema('n')} AND NOT ${ofExtension('pg_class', 'c.oid')}
  UNION ALL SELECT 'statistics ' || s.stxnamespace::regnamespace::text || '.' || quote_ident(s.stxname), ${shape('pg_get_statisticsobjdef(s.oid)')} FROM pg_statistic_ext s
  UNION ALL SELECT 'publication ' || quote_ident(pubname), md5(concat_ws('|', puballtables, pubinsert, pubupdate, pubdelete,
    (SELECT string_agg(t.schemaname || '.' || t.tablename, ',' ORDER BY t.schemaname, t.tablename) FROM pg_publication_tables t WHERE t.pubname = p.pubname))) FROM pg_publication p
  UNION ALL SELECT 'event trigger ' || quote_ident(evtname), md5(concat_ws('|', evtevent, evtenabled, evtfoid::regproc)) FROM pg_event_trigger e
    WHERE NOT ${ofExtension('pg_event_trigger', 'e.oid')}
  UNION ALL SELECT 'foreign server ' || quote_ident(srvname), md5(coalesce((SELECT string_agg(o, ',' ORDER BY o COLLATE "C") FROM unnest(srvoptions) o), '')) FROM pg_foreign_server
  UNION ALL SELECT 'default privileges of ' || pg_get_userbyid(defaclrole) || ' ' || defaclnamespace::regnamespace::text || ' ' || defaclobjtype::text,
    md5((SELECT string_agg(a::text, ',' ORDER BY a::text COLLATE "C") FROM unnest(defaclacl) a)) FROM pg_default_acl
  UNION ALL SELECT 'setting of ' || coalesce(pg_get_userbyid(nullif(setrole, 0)), 'everybody') || ' in this database', md5(setconfig::text)
    FROM pg_db_role_setting WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
  UNION ALL SELECT 'database itself', md5(concat_ws('|', pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datcollate, datctype, datconnlimit, datallowconn,
    ${privileges('datacl', 'd', 'datdba')})) FROM pg_database WHERE datname = current_database()`;

/** Objects that have no definition to read back: compared by their identity alone. */
const identities = `
  SELECT i.type || ' ' || i.identity, ''
  FROM (SELECT 'pg_operator'::regclass AS catalog, oid FROM pg_operator UNION ALL SELECT 'pg_opclass', oid FROM pg_opclass
        UNION ALL SELECT 'pg_opfamily', oid FROM pg_opfamily UNION ALL SELECT 'pg_collation', oid FROM pg_collation
        UNION ALL SELECT 'pg_conversion', oid FROM pg_conversion UNION ALL SELECT 'pg_cast', oid FROM pg_cast
        UNION ALL SELECT 'pg_ts_config', oid FROM pg_ts_config UNION ALL SELECT 'pg_ts_dict', oid FROM pg_ts_dict
        UNION ALL SELECT 'pg_ts_parser', oid FROM pg_ts_parser UNION ALL SELECT 'pg_ts_template', oid FROM pg_ts_template
        UNION ALL SELECT 'pg_language', oid FROM pg_language UNION ALL SELECT 'pg_am', oid FROM pg_am
        UNION ALL SELECT 'pg_transform', oid FROM pg_transform UNION ALL SELECT 'pg_user_mapping', oid FROM pg_user_mapping
        UNION ALL SELECT 'pg_foreign_data_wrapper', oid FROM pg_foreign_data_wrapper) o,
       LATERAL pg_identify_object(o.catalog, o.oid, 0) i
  WHERE o.oid >= 16384
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = o.catalog AND d.objid = o.oid AND d.deptype = 'e')`;

const comment = `
  SELECT 'comment on ' || pg_describe_object(c.classoid, c.objoid, c.objsubid), md5(c.description)
  FROM pg_description c
  WHERE c.objoid >= 16384
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = c.classoid AND d.objid = c.objoid AND d.deptype = 'e')`;

/** What the comparison does not look at, in any database. */
export const neverCompared =
  'subscriptions, row filters of publications, owners of large objects, and tablespaces of relations are not compared';

/** Every object of the database that a dump should carry: identity and hash of its definition. */
export const databaseObjects = [
  relation,
  columnDefault,
  index,
  constraint,
  trigger,
  routine,
  type,
  policy,
  others,
  identities,
  comment,
].join('\n  UNION ALL');

/** What clusterObjects leaves out, in every cluster. */
export const neverComparedInCluster =
  'the password of the bootstrap superuser, until when it is valid, and whether that role may log in are not compared: the scratch server has a password of its own';

/**
 * Roles, their attributes and memberships; passwords as a hash of the stored form. The bootstrap superuser has the
 * OID 10 in every cluster (src/include/catalog/pg_authid.dat).
 */
export const clusterObjects = `
  SELECT 'role ' || quote_ident(r.rolname) AS identity,
         md5(concat_ws('|', r.rolsuper, r.rolinherit, r.rolcreaterole, r.rolcreatedb, CASE WHEN r.oid <> 10 THEN r.rolcanlogin END, r.rolreplication, r.rolbypassrls, r.rolconnlimit,
           CASE WHEN r.oid <> 10 THEN r.rolvaliduntil END, CASE WHEN r.oid <> 10 THEN r.rolpassword END,
           (SELECT string_agg(quote_ident(g.rolname) || m.admin_option, ',' ORDER BY g.rolname) FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid WHERE m.member = r.oid),
           (SELECT string_agg(s.setconfig::text, ',') FROM pg_db_role_setting s WHERE s.setrole = r.oid AND s.setdatabase = 0))) AS hash
  FROM pg_authid r WHERE r.rolname !~ '^pg_'`;
