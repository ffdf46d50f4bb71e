/** What differs in replication slots and the archive. Pure. */
import type { FactRecord } from '../report/record.ts';
import type { Snapshot } from '../report/snapshot.ts';
import { fact, numbers, rules } from './fact.ts';

type Slot = NonNullable<Snapshot['slots']>[number];

function slotDiffers(was: Slot | undefined, is: Slot | undefined): FactRecord | null {
  const item = (verdict: FactRecord['verdict'], why: string): FactRecord =>
    fact('replication', `replication slot ${(was ?? is)?.name}`, rules.slots, verdict, {
      before: describeSlot(was),
      after: describeSlot(is),
      why,
    });
  if (!was) return item('unexpected', 'new');
  if (!is) return item('unexpected', 'gone');
  if (was.type !== is.type || was.plugin !== is.plugin) return item('unexpected', 'type or plugin changed');
  if (is.walStatus === 'lost' && was.walStatus !== 'lost')
    return item('unexpected', 'lost: its consumer cannot go on');
  if (is.walStatus === 'unreserved' && was.walStatus !== 'unreserved')
    return item('alert', 'the WAL it needs goes with the next checkpoint');
  if (was.active && !is.active) return item('alert', 'its consumer has not come back');
  return null;
}

function describeSlot(slot: Slot | undefined): string | null {
  if (!slot) return null;
  const words = [slot.plugin ?? slot.type, slot.active ? 'active' : 'inactive', slot.walStatus ?? ''];
  return words.filter((word) => word !== '').join(', ');
}

/** Slots that are gone, new, changed, lost or left alone; and how much WAL they hold back. */
export function slots(before: readonly Slot[], after: readonly Slot[]): FactRecord[] {
  const names = [...new Set([...before, ...after].map(({ name }) => name))].sort();
  const find = (list: readonly Slot[], name: string): Slot | undefined =>
    list.find((slot) => slot.name === name);
  const differ = names
    .map((name) => slotDiffers(find(before, name), find(after, name)))
    .filter((item) => item !== null);
  const retained = (list: readonly Slot[]): number =>
    list.reduce((sum, { retainedBytes }) => sum + (retainedBytes ?? 0), 0);
  const named = (list: readonly Slot[]): string =>
    list.map(({ name, type }) => `${name} (${type})`).join(', ') || 'none';
  return [
    ...(differ.length > 0
      ? differ
      : [
          fact('replication', 'replication slots', rules.slots, 'equal', {
            before: named(before),
            after: named(after),
          }),
        ]),
    ...(names.length === 0
      ? []
      : [
          fact('replication', 'WAL that slots hold back', rules.told, 'not-compared', {
            ...numbers(retained(before), retained(after), 'bytes'),
            why: 'moves by itself',
          }),
        ]),
  ];
}

type Archiver = NonNullable<Snapshot['archiver']>;

/** Whether WAL still reaches the archive. */
export function archiver(before: Archiver, after: Archiver): FactRecord[] {
  const word = ({ mode, failing }: Archiver): string =>
    mode === 'off' ? 'off' : failing ? 'the last attempt failed' : 'works';
  const fails = after.failing && !before.failing;
  return [
    fact('replication', 'archiver', rules.archiver, fails ? 'unexpected' : 'equal', {
      before: word(before),
      after: word(after),
      why: fails ? 'WAL does not reach the archive any more' : after.failing ? 'it failed before, too' : null,
    }),
  ];
}
