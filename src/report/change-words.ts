/** A change in words: what kind it is, what else changes, and what happens once it is merged. Pure. */
import { plural } from './format.ts';
import type { UpgradeRecord } from './record.ts';
import type { ChangeRecord } from './record-change.ts';
import { sawTooLittle, wouldBeRefused } from './refusals.ts';

/** What the repository's workflows do with a merge, and what keeps a target waiting then. */
export interface AtMergeFacts {
  atMerge: 'nothing' | 'plan' | 'upgrade-minor' | 'upgrade';
  /** Maintenance windows in words; none means always. */
  windows: readonly string[];
  /** Age that a passed rehearsal may have, for example `7d`; null where none is demanded. */
  requireRehearsal: string | null;
  wave: number;
}

const KINDS: Record<ChangeRecord['kind'], string> = {
  none: 'the version stays',
  minor: 'minor version',
  major: 'major version',
  distribution: 'another distribution of the image',
  downgrade: 'downgrade',
  new: 'new target',
  removed: 'target removed',
  unknown: 'what changes is not known',
};

/** `minor version`. */
export function kindWords(kind: ChangeRecord['kind']): string {
  return KINDS[kind];
}

/** `15.17 → 15.18`, of the spec where a change is known, else of the target. */
export function fromTo({ change, versions }: UpgradeRecord): string {
  const to = change?.to ?? versions.wanted;
  const from = change?.from ?? versions.from;
  return from === null || from === to ? to : `${from} → ${to}`;
}

/** `15.16 runs now`, where that is not what the spec said before; null where it is, or nobody looked. */
export function runsWords({ change, versions }: UpgradeRecord): string | null {
  const { from } = versions;
  if (from === null) return 'what runs now was not seen';
  return change?.from === from || change?.from?.startsWith(`${from}-`) ? null : `${from} runs now`;
}

/** What a merge does with this target, in sentences. */
export function atMergeWords(record: UpgradeRecord, facts: AtMergeFacts): string[] {
  const { change } = record;
  const to = record.versions.wanted;
  const byHand = 'A person starts the upgrade (mode upgrade).';
  switch (facts.atMerge) {
    case 'nothing':
      return ['Nothing happens by itself.', byHand, ...asItStands(record, facts)];
    case 'plan':
      return [
        'A plan is made from what was merged; nothing is upgraded by itself.',
        byHand,
        ...asItStands(record, facts),
      ];
    case 'upgrade-minor': {
      const why = whyNotMinor(change);
      return why === null
        ? [`The target is upgraded to PostgreSQL ${to}.`, ...conditions(record, facts)]
        : [`Nothing happens by itself: ${why}.`, byHand, ...asItStands(record, facts)];
    }
    case 'upgrade':
      if (change?.kind === 'none' && record.result === 'skipped')
        return ['Nothing: the version runs already.'];
      return [`The target is upgraded to PostgreSQL ${to}.`, ...conditions(record, facts)];
  }
}

/** Why a change is not upgraded where only minor ones are; null where it is. */
function whyNotMinor(change: ChangeRecord | null): string | null {
  if (!change) return 'what changes is not known';
  if (change.kind !== 'minor')
    return change.kind === 'none'
      ? 'the version stays'
      : `only minor versions are upgraded at a merge, and this is: ${kindWords(change.kind)}`;
  return change.others.length === 0
    ? null
    : `more of the target changes than its version (${plural(change.others.length, 'key')})`;
}

/** What has to be so, that the upgrade begins. */
function conditions(record: UpgradeRecord, facts: AtMergeFacts): string[] {
  const { windows, requireRehearsal, wave } = facts;
  return [
    ...asItStands(record, facts),
    ...(windows.length > 0
      ? [
          `Only in its maintenance windows: ${windows.join('; ')}. Outside of them it is refused at merge: run the failed job again when one is open.`,
        ]
      : []),
    ...(requireRehearsal === null
      ? []
      : [`Only with a passed rehearsal of these versions that is not older than ${requireRehearsal}.`]),
    ...(wave > 1
      ? [
          `It is of wave ${wave}: until the earlier waves are green, and were for as long as the spec says, it is refused: run the failed job again then.`,
        ]
      : []),
  ];
}

/** Whether an upgrade would be refused by what this run saw. How a rehearsal went matters only where the spec demands one. */
function asItStands(record: UpgradeRecord, { requireRehearsal }: AtMergeFacts): string[] {
  const blocked = wouldBeRefused(record);
  const rehearsal = missed(record);
  return [
    ...(blocked ? ['As it stands it would be refused: what blocks is below.'] : []),
    ...(!blocked && sawTooLittle(record)
      ? ['Whether it would be refused is not known: this run did not see enough.']
      : []),
    ...(rehearsal === null
      ? []
      : requireRehearsal !== null
        ? [`Without another rehearsal it would be refused: ${rehearsal.why}.`]
        : rehearsal.failed
          ? ['The failed rehearsal does not keep it from being upgraded: set require-rehearsal.']
          : []),
  ];
}

/** Why the newest rehearsal is not one that `require-rehearsal` takes; null where it is, and where there is none. */
function missed({ result, rehearsal, rehearsed, versions }: UpgradeRecord): {
  failed: boolean;
  why: string;
} | null {
  // One that broke off without a verdict is not remembered: the one before it counts.
  const told = rehearsal?.passed || rehearsal?.stages.some(({ state }) => state === 'failed');
  const newest = told ? rehearsal : rehearsed;
  if (rehearsal && !told && result === 'failed' && !rehearsed?.passed)
    return { failed: true, why: 'this one did not come to its end' };
  if (!newest) return null;
  if (!newest.passed) return { failed: true, why: 'the last one failed' };
  return newest.exact ? null : { failed: false, why: `the last one did not run on ${versions.wanted}` };
}
