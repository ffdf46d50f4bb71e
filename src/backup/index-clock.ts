/**
 * How long pg_restore works on indexes and keys, from what it says with --verbose: a restore of its own would build them
 * in another order. The time in which at least one is being built, in milliseconds. Pure but for the clock it is given.
 */

const ofIndexes = /^(?:INDEX|INDEX ATTACH|CONSTRAINT|FK CONSTRAINT)\b/;

/** Takes the lines as they come. */
export interface IndexClock {
  line(text: string): void;
  /** Milliseconds so far; what is still open ends now. */
  end(): number;
}

/** @param now milliseconds */
export function indexClock(now: () => number): IndexClock {
  const open = new Set<string>();
  let since: number | null = null;
  let total = 0;
  const settle = (): void => {
    if (open.size > 0) since ??= now();
    else if (since !== null) {
      total += now() - since;
      since = null;
    }
  };
  return {
    line(text) {
      // With workers: the leader hands items out, and hears of their end.
      const [, verb, id, item = ''] = /^pg_restore: (launching|finished) item (\d+) (.+)$/.exec(text) ?? [];
      if (id !== undefined) {
        if (verb === 'launching' && ofIndexes.test(item)) open.add(id);
        else open.delete(id);
        return settle();
      }
      // Alone: one after the other, each ends where the next begins.
      const [, made] = /^pg_restore: (?:creating|processing|executing) (.+)$/.exec(text) ?? [];
      if (made === undefined) return;
      open.delete('alone');
      if (ofIndexes.test(made)) open.add('alone');
      settle();
    },
    end() {
      open.clear();
      settle();
      return Math.round(total);
    },
  };
}
