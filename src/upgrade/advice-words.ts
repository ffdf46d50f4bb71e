/** What is said about advice: lists and sentences for plan, log and verdict. Pure. */
import type { AdviceRecord } from '../report/record-release.ts';

/** The end of a verdict: what was tried and did not work. Pure. */
export function failedAdvice(advice: readonly AdviceRecord[]): string {
  const failed = advice.filter(({ objects }) => objects.some(({ state }) => state === 'failed'));
  if (failed.length === 0) return '';
  return ` What the release notes ask for could not be done everywhere: ${failed.map(({ title }) => title).join('; ')}.`;
}

/** What a person still has to do after the upgrade; null for nothing. Pure. */
export function leftToDo(advice: readonly AdviceRecord[]): string | null {
  const left = advice.filter(
    ({ state, timing }) => ['applies', 'partly', 'failed'].includes(state) && timing !== 'before',
  );
  if (left.length === 0) return null;
  return [
    'The release notes ask for this as well; the report has the objects and the SQL:',
    ...left.map(({ title, todo }) => `${title}: ${todo}`),
  ].join('\n');
}

/** One line for a log. Pure. */
export function adviceLine({ title, fixedIn, total, certainty }: AdviceRecord): string {
  const what =
    total === 0
      ? ''
      : `: ${total} ${certainty === 'candidates' ? 'candidate' : 'object'}${total === 1 ? '' : 's'}`;
  return `${title} (asked for by ${fixedIn})${what}`;
}

/** The advice that applies and that the action, or a person, carries out. Pure. */
export function byWhom(advice: readonly AdviceRecord[], by: AdviceRecord['by']): AdviceRecord[] {
  return advice.filter((each) => each.by === by && each.state === 'applies');
}
