/** npm's servers carry ICU 60, Debian's ICU 72: text really sorts by another library after the restart. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Patient, patient, plant } from './support.ts';

let shop: Patient;
beforeEach(async () => {
  shop = await patient();
  await plant(shop, [
    'CREATE EXTENSION amcheck',
    "CREATE COLLATION german (provider = icu, locale = 'de-u-co-phonebk')",
    'CREATE TABLE person (name text COLLATE german, born daterange)',
    'INSERT INTO person SELECT chr(i) || chr(i + 7) FROM generate_series(192, 55000, 7) AS i',
    'CREATE UNIQUE INDEX person_name ON person (name)',
    'CREATE INDEX person_lower ON person (lower(name COLLATE "C")) WHERE name COLLATE german > \'a\'',
    'CREATE TABLE plain (id int PRIMARY KEY, code text COLLATE "C")',
    'CREATE INDEX plain_code ON plain (code)',
  ]);
});
afterEach(() => shop?.[Symbol.asyncDispose]());

const versions = async (): Promise<unknown> => {
  const [row] = await shop.sql(
    "SELECT collversion AS recorded, collversion = pg_collation_actual_version(oid) AS same FROM pg_collation WHERE collname = 'german'",
  );
  return row;
};
/** amcheck compares every pair of neighbours by the library that runs now. */
const sound = () =>
  shop.sql("SELECT bt_index_check('person_name', true), bt_index_check('person_lower', true)");
const node = async (index: string): Promise<unknown> =>
  (await shop.sql(`SELECT pg_relation_filenode('${index}')::int AS node`))[0]?.node;

test('report: the changed order fails the validation, and the upgrade goes back', async () => {
  const before = await versions();
  await using result = await shop.run('upgrade');
  expect([result.exitCode, (await shop.record()).result]).toEqual([1, 'rolled-back']);
  expect((await shop.record()).issues.map(({ code, hint }) => [code, hint])).toContainEqual([
    'validation-checks',
    expect.stringContaining('shop: public.german: recorded'),
  ]);
  expect(await versions()).toEqual(before);
  await sound();
});

test('apply: rebuilt first, recorded then; a rollback does the same for the older library', async () => {
  const before = await versions();
  const nodes = [await node('person_name'), await node('plain_code')];
  await shop.ask('    advice: apply');
  await using result = await shop.run('upgrade');
  expect([result.exitCode, await shop.version(), (await shop.record()).verdict]).toEqual([
    0,
    shop.wanted.version,
    expect.stringContaining('was upgraded'),
  ]);
  const after = await versions();
  expect(after).toMatchObject({ same: true });
  expect(after).not.toEqual(before);
  await sound();
  expect(await node('person_name')).not.toBe(nodes[0]);
  // What does not depend on it is not touched.
  expect(await node('plain_code')).toBe(nodes[1]);

  await using back = await shop.run('rollback');
  expect([back.exitCode, await shop.version()]).toEqual([0, '15.1']);
  expect(await versions()).toEqual(before);
  await sound();
});

test('apply: an index that cannot be rebuilt records nothing, and everything goes back', async () => {
  const before = await versions();
  // Two names that are one to a unique index which cannot be rebuilt: planted behind the back of its constraint.
  await plant(shop, [
    'CREATE TABLE twice (name text COLLATE german)',
    "INSERT INTO twice VALUES ('a')",
    'CREATE UNIQUE INDEX twice_name ON twice (name)',
    "UPDATE pg_index SET indisunique = false, indisready = false WHERE indexrelid = 'twice_name'::regclass",
    "INSERT INTO twice VALUES ('a')",
    "UPDATE pg_index SET indisunique = true, indisready = true WHERE indexrelid = 'twice_name'::regclass",
  ]);
  await shop.ask('    advice: apply\n    backup: { prove: checksum }');
  await using _ = await shop.run('upgrade');
  expect([(await shop.record()).result, (await shop.record()).issues]).toEqual([
    'rolled-back',
    expect.anything(),
  ]);
  expect((await shop.record()).issues.map(({ code }) => code)).toContain('collation-reindex');
  expect(await versions()).toEqual(before);
  expect(await shop.sql('SELECT count(*)::int AS n FROM pg_index WHERE NOT indisvalid')).toEqual([{ n: 0 }]);
  await sound();
  expect((await shop.record()).switchedOff.every(({ putBackAt }) => putBackAt !== null)).toBe(true);
});
