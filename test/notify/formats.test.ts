/** What Slack and a webhook are sent, to the byte; hostile text in it says nothing but itself. */
import { describe, expect, it } from 'vitest';
import { cloudEvent } from '../../src/notify/cloud-event.ts';
import { headline, newsOf } from '../../src/notify/news.ts';
import { slackMessage, slackText } from '../../src/notify/slack.ts';
import { emptyRecord } from '../../src/upgrade/recorder.ts';
import { atEnd } from './news.ts';

const plain = (text: string) => ({ type: 'section', text: { type: 'plain_text', text, emoji: false } });

describe('a message for Slack', () => {
  it('at the end', () => {
    expect(slackMessage(atEnd)).toEqual({
      text: 'orders: success: PostgreSQL 15.17 was upgraded to 15.20.',
      blocks: [
        { type: 'header', text: { type: 'plain_text', text: 'orders: success', emoji: false } },
        plain('PostgreSQL 15.17 was upgraded to 15.20.'),
        plain('PostgreSQL 15.20 serves clients.'),
        plain('Longest time without a commit: 0.64 s.'),
        plain('Override of window by octocat: No maintenance window of orders is open.'),
        plain('Started by octocat.'),
        {
          type: 'section',
          text: {
            type: 'mrkdwn',
            text: '<https://github.com/octo-org/octo-repo/actions/runs/7|Workflow run>',
          },
        },
      ],
    });
  });

  it('at the start, outside GitHub', () => {
    const news = {
      ...atEnd,
      moment: 'start' as const,
      result: null,
      verdict: 'Upgrade of orders starts.',
      state: null,
      downtimeMs: null,
      overrides: [],
      url: null,
    };
    expect(slackMessage(news)).toEqual({
      text: 'orders: Upgrade of orders starts.',
      blocks: [
        { type: 'header', text: { type: 'plain_text', text: 'orders: started', emoji: false } },
        plain('Upgrade of orders starts.'),
        plain('Started by octocat.'),
      ],
    });
  });

  it.each([
    ['<!channel> & <@U1>', '&lt;!channel&gt; &amp; &lt;@\u2060U1&gt;'],
    ['@here @everyone', '@\u2060here @\u2060everyone'],
    ['<https://evil.example|click>', '&lt;https://evil.example|click&gt;'],
    ['two\nlines', 'two ⏎ lines'],
    ['left\u202eright', 'left[U+202E]right'],
  ])('%s does nothing', (text, shown) => expect(slackText(text, 3000)).toBe(shown));

  it('keeps within what Slack takes, escaped, and cuts no entity', () => {
    expect(slackText('abcdef', 6)).toBe('abcde…');
    expect(slackText('abcde', 6)).toBe('abcde');
    expect(slackText('&&&&', 12)).toBe('&amp;&amp;…');
    const { text, blocks } = slackMessage({ ...atEnd, verdict: '&'.repeat(9000) });
    expect(text.length).toBeLessThanOrEqual(3000);
    expect(Math.max(...blocks.map((block) => block.text.text.length))).toBeLessThanOrEqual(3000);
  });

  it('links to nothing but a web address', () => {
    const links = (url: string): string[] =>
      slackMessage({ ...atEnd, url }).blocks.flatMap(({ text }) => (text.type === 'mrkdwn' ? text.text : []));
    expect(links('https://h.example/a|<!channel>?b&c')).toEqual([
      '<https://h.example/a%3C!channel%3E?b&amp;c|Workflow run>',
    ]);
    expect(links('javascript:alert(1)')).toEqual([]);
    expect(links('no address')).toEqual([]);
  });
});

describe('a CloudEvent', () => {
  it('has the attributes of 1.0, and the data', () => {
    expect(cloudEvent(atEnd)).toEqual({
      specversion: '1.0',
      id: 'octo-org/octo-repo/7/1/orders/upgrade/end',
      source: 'https://github.com/octo-org/octo-repo',
      type: 'postgres-upgrade.finished',
      subject: 'orders',
      time: '2026-11-20T18:00:10.000Z',
      datacontenttype: 'application/json',
      data: {
        target: 'orders',
        environment: 'embedded',
        mode: 'upgrade',
        from: '15.17',
        wanted: '15.20',
        now: '15.20',
        result: 'success',
        verdict: 'PostgreSQL 15.17 was upgraded to 15.20.',
        state: 'PostgreSQL 15.20 serves clients.',
        next: null,
        downtimeMs: 640,
        planDigest: 'd'.repeat(64),
        url: 'https://github.com/octo-org/octo-repo/actions/runs/7',
        actor: 'octocat',
        overrides: [{ gate: 'window', by: 'octocat', what: 'No maintenance window of orders is open.' }],
      },
    });
  });

  it.each([
    ['start', 'postgres-upgrade.started'],
    ['pause', 'postgres-upgrade.paused'],
  ] as const)('at %s is %s', (moment, type) => expect(cloudEvent({ ...atEnd, moment }).type).toBe(type));
});

describe('news', () => {
  const now = (): Date => new Date('2026-11-20T18:00:00.000Z');
  const record = (identity: Parameters<typeof emptyRecord>[0]['identity']) =>
    emptyRecord({
      name: 'orders',
      environment: 'embedded',
      place: 'spec.yaml:3',
      wanted: '15.20',
      mode: 'upgrade',
      identity,
      version: '0.0.0',
      now,
    });

  it('of a start knows the version that runs, and no result', () => {
    const begun = record(null);
    begun.versions.from = '15.17';
    begun.host = 'db 1';
    begun.id = 'x';
    const news = newsOf(begun, 'start', 'ops on db1', now());
    expect(news).toMatchObject({
      id: 'x/start',
      source: '//db%201',
      from: '15.17',
      now: '15.17',
      result: null,
      state: null,
      url: null,
      verdict: 'Upgrade of orders from PostgreSQL 15.17 to 15.20 starts.',
    });
    expect(headline(news)).toBe('Upgrade of orders from PostgreSQL 15.17 to 15.20 starts.');
  });

  it('of an end is what the record says, and the same event when it is told again', () => {
    const identity = {
      ...{ repository: 'octo-org/octo-repo', actor: 'octocat', event: 'push', workflow: 'w', job: 'j' },
      ...{ runId: '7', attempt: 2, ref: 'r', commit: 'c', runner: 'r' },
      url: 'https://ghe.example/octo-org/octo-repo/actions/runs/7',
    };
    const ended = Object.assign(record(identity), {
      result: 'failed',
      verdict: 'It broke.',
      state: 'Unknown.',
    });
    const news = newsOf(ended, 'end', 'octocat', now());
    expect([news.id, news.source, headline(news)]).toEqual([
      'octo-org/octo-repo/7/2/orders/upgrade/end',
      'https://ghe.example/octo-org/octo-repo',
      'failed: It broke.',
    ]);
  });
});
