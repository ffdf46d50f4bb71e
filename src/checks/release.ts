/** What the run knows of the wanted version before it asks any server. */

import { formatVersion } from '../postgres/version.ts';
import { daysBetween } from '../releases/between.ts';
import { plural } from '../report/format.ts';
import type { Check } from './check.ts';
import { bounded } from './words.ts';

/** postgres -C reads a whole configuration and says what it does not know, without starting anything. */
export const configPreflight: Check = {
  id: 'config-preflight',
  title: 'The wanted version reads the configuration',
  scope: 'machine',
  when: 'before',
  minMajor: 13,
  sql: null,
  fix: 'Correct these settings, or remove them: the wanted version would not start with them.',
  judge(_rows, { configErrors }) {
    if (configErrors === null) {
      return { status: 'skipped', seen: ['nobody could ask the programs of the wanted version'] };
    }
    return { status: configErrors.length > 0 ? 'blocked' : 'passed', seen: bounded(configErrors) };
  },
};

/** Blocks while notes on the way wait for a reader. */
export const releaseNotes: Check = {
  id: 'release-notes',
  title: 'A person has read the notes that must be read',
  scope: 'machine',
  when: 'before',
  minMajor: 13,
  sql: null,
  fix: 'Read these notes and do what they ask for, then add the versions to notes-read of the target in the spec.',
  judge(_rows, { release }) {
    const lines = release.mustRead.map(({ version, why, link }) => `${version}: ${why} (${link})`);
    return { status: lines.length > 0 ? 'blocked' : 'passed', seen: bounded(lines) };
  },
};

/** Counts the days until the wanted major gets no more fixes. */
export const supported: Check = {
  id: 'supported',
  title: 'The wanted major gets fixes for long enough',
  scope: 'machine',
  when: 'before',
  minMajor: 13,
  sql: null,
  fix: 'Plan the upgrade to a newer major: after that day nobody repairs security holes.',
  judge(_rows, { release, wanted, thresholds }) {
    const { endOfLife, today } = release;
    if (endOfLife === null) {
      return { status: 'skipped', seen: [`nobody knows how long ${formatVersion(wanted)} gets fixes`] };
    }
    const left = daysBetween(today, endOfLife);
    if (left < 0) {
      return { status: 'warning', seen: [`PostgreSQL ${wanted.major} has had no fixes since ${endOfLife}`] };
    }
    if (left > thresholds.endOfLifeWarning) return { status: 'passed', seen: [] };
    return {
      status: 'warning',
      seen: [`PostgreSQL ${wanted.major} gets fixes until ${endOfLife}, for ${plural(left, 'more day')}`],
    };
  },
};
