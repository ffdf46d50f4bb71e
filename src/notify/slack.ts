/**
 * A message for an incoming webhook of Slack. Pure.
 * Source of its limits and of the escaping: Slack's pages on incoming webhooks, on blocks and on formatting text.
 */
import { oneLine } from '../report/escape.ts';
import { detailsOf, headline, type News } from './news.ts';

/** Characters that Slack takes in a header, in a section, and in the text that stands in for the blocks; escaped. */
const most = { header: 150, section: 3000, text: 3000 } as const;

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '@': '@\u2060' };

/**
 * Text of others, which may say nothing but itself: no markup, no link, nobody called. `<!channel>` and `<@U1>` need the
 * angle brackets; a plain `@here` is kept apart by a joiner that nobody sees.
 */
export function slackText(value: string, length: number): string {
  let text = '';
  for (const character of oneLine(value)) {
    const piece = entities[character] ?? character;
    if (text.length + piece.length > length - 1) return `${text}…`;
    text += piece;
  }
  return text;
}

interface PlainText {
  type: 'plain_text';
  text: string;
  emoji: false;
}

/** One block of a message. */
export type SlackBlock =
  | { type: 'header'; text: PlainText }
  | { type: 'section'; text: PlainText | { type: 'mrkdwn'; text: string } };

/** What is posted. */
export interface SlackMessage {
  text: string;
  blocks: SlackBlock[];
}

function plain(value: string, length: number): PlainText {
  return { type: 'plain_text', text: slackText(value, length), emoji: false };
}

/** The message, with a link to the workflow run where there is one. */
export function slackMessage(news: News): SlackMessage {
  const word = news.result ?? 'started';
  const sections = [news.verdict, ...detailsOf(news)].map(
    (line): SlackBlock => ({ type: 'section', text: plain(line, most.section) }),
  );
  const link = news.url === null ? null : linkTo(news.url);
  return {
    text: slackText(`${news.target}: ${headline(news)}`, most.text),
    blocks: [
      { type: 'header', text: plain(`${news.target}: ${word}`, most.header) },
      ...sections,
      ...(link === null ? [] : [{ type: 'section', text: { type: 'mrkdwn', text: link } } as const]),
    ],
  };
}

/** The address comes from GitHub's variables; whatever ends a link is taken out nevertheless. */
function linkTo(url: string): string | null {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) return null;
  return `<${new URL(url).href.replaceAll('&', '&amp;').replaceAll(/[<>|]/g, '')}|Workflow run>`;
}
