/** What the release notes ask of this database: what applies in full, the rest short and folded. */
import {
  adviceHeadline,
  byWords,
  certaintyWords,
  objectsByDatabase,
  sortAdvice,
  timingWords,
} from './advice.ts';
import { formatCount, plural } from './format.ts';
import { badge, code, folded, lines, notes, section } from './html-parts.ts';
import { html, type Insertable, type Markup } from './markup.ts';
import type { UpgradeRecord } from './record.ts';
import type { AdviceRecord } from './record-release.ts';

/** More names than this are folded. */
const MOST_NAMES = 10;

/** The section; null where nobody looked at the release notes. */
export function adviceSection(record: UpgradeRecord): Markup | null {
  const headline = adviceHeadline(record);
  if (headline === null) return null;
  const { applies, unanswered, judge, done, notApplicable } = sortAdvice(record.advice);
  const more = applies.length > 0 ? ' more' : '';
  const others = applies.length + unanswered.length + judge.length + done.length > 0 ? 'other' : 'piece';
  return section(
    'advice',
    'What the release notes ask',
    html`<p>${headline}</p>${lines([...applies.map(full), ...unanswered.map(unknown)], 'checks')}${
      done.length > 0 &&
      folded(`${plural(done.length, 'thing')} carried out by the action`, lines(done.map(full), 'checks'))
    }${
      judge.length > 0 &&
      folded(
        `${formatCount(judge.length)}${more} cannot be seen from the database`,
        lines(judge.map(short), 'checks'),
      )
    }${
      notApplicable.length > 0 &&
      html`<p class="soft">${others === 'other' ? `${plural(notApplicable.length, 'other')} ${notApplicable.length === 1 ? 'does' : 'do'} not apply here.` : `${plural(notApplicable.length, 'piece')} of advice looked at, none applies here.`}</p>`
    }`,
  );
}

function full(advice: AdviceRecord): Markup {
  const weight = advice.state === 'done' ? 'quiet' : advice.state === 'failed' ? 'strong' : 'medium';
  return html`${badge(advice.state, weight)} <span class="title">${advice.title}</span> <span class="soft">${timingWords(advice.timing)}</span>
<p>${advice.why}</p><p>To do: ${advice.todo}</p>${lines(advice.seen)}<p>${certaintyWords(advice)}. ${byWords(advice)}.</p>${objects(advice)}<p class="soft">${code(advice.id)} ${noteOf(advice)}</p>`;
}

function short(advice: AdviceRecord): Markup {
  return html`<span class="title plain">${advice.title}</span> <span class="soft">${timingWords(advice.timing)}</span>
<p>${advice.todo}</p>${objects(advice)}<p class="soft">${code(advice.id)} ${noteOf(advice)}</p>`;
}

function unknown(advice: AdviceRecord): Markup {
  return html`${badge(advice.state === 'skipped' ? 'not asked' : 'unanswered', 'medium')} <span class="title">${advice.title}</span>
${lines(advice.seen)}<p>To do if it applies: ${advice.todo}</p><p class="soft">${code(advice.id)} ${noteOf(advice)}</p>`;
}

function noteOf({ link, fixedIn }: AdviceRecord): Markup {
  return notes(link, `Release notes of ${fixedIn}`);
}

function objects({ objects: found, total }: AdviceRecord): Insertable {
  const left = total - found.length;
  return html`${objectsByDatabase(found).map(({ databases, objects: named, sql }) => {
    const names = lines(
      named.map(
        ({ name, detail, state }) =>
          html`${code(name)}${state !== 'found' && html` ${badge(state, state === 'done' ? 'quiet' : 'medium')}`}${detail !== null && html` <span class="soft">${detail}</span>`}`,
      ),
    );
    const where = databases.includes(null)
      ? 'In the whole cluster'
      : html`In ${databases.map((name, place) => [place > 0 && ', ', code(name)])}`;
    return html`<div class="where"><p>${where}:</p>${
      named.length > MOST_NAMES ? folded(plural(named.length, 'object'), names) : names
    }${sql.length > 0 && html`<pre class="copy" tabindex="0">${sql.join('\n')}</pre>`}</div>`;
  })}${left > 0 && found.length > 0 && html`<p class="soft">${plural(left, 'more object')} not in the record.</p>`}`;
}
