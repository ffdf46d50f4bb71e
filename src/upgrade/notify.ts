/** Tells the spec's channels of an upgrade. What could not be delivered never fails anything. */
import { UpgradeError } from '../errors.ts';
import { mayReceive } from '../notify/address.ts';
import { cloudEvent, cloudEventType } from '../notify/cloud-event.ts';
import { headline, type Moment, type News, newsOf } from '../notify/news.ts';
import { type Patience, type Post, post } from '../notify/post.ts';
import { slackMessage } from '../notify/slack.ts';
import { hideIn } from '../process/secrets.ts';
import type { Channel } from '../spec/fleet-schema.ts';
import { resolveReference } from '../spec/load.ts';
import { actorOf } from './overrides.ts';
import type { Run } from './target.ts';

/** What of a run is needed; a target that could not be opened has no more. */
export type Teller = Pick<Run, 'context' | 'target' | 'recorder'>;

/** Milliseconds for all channels together: while the run goes on, and once somebody asked it to stop. */
const longest = { calm: 10_000, stopping: 3000 } as const;
const patience: Patience = { answer: 5000, retry: 500 };

/**
 * Tells every channel of the target that wants to hear of this moment, all at the same time. Every delivery, or its
 * failure, is in the record's communication log. Takes ten seconds at most, three once the run is to stop. Never throws.
 */
export async function notify(run: Teller, moment: Moment): Promise<void> {
  const { context, target, recorder } = run;
  const { spec, fleet } = target;
  // Nothing to do is no news, unless somebody heard that something begins.
  if (recorder.record.result === 'skipped' && recorder.record.steps.length === 0) return;
  const channels = [...new Set(spec.notify)].flatMap((name) => {
    const channel = fleet.channels[name];
    return channel?.at.includes(moment) ? [{ name, channel }] : [];
  });
  if (channels.length === 0) return;
  const time = context.now();
  const news = newsOf(recorder.record, moment, actorOf(context), time);
  using limit = timeLimit(context.signal);
  await Promise.all(
    channels.map(async ({ name, channel }) => {
      const to = `${'slack' in channel ? 'Slack channel' : 'webhook'} ${name}`;
      const why = await deliver(run, channel, news, limit.signal);
      recorder.tell(to, headline(news), why);
      if (why === null) return;
      context.log.annotate({
        level: 'warning',
        title: `${spec.name}: ${to} was not told`,
        message: `The ${moment} could not be told to ${to}: ${why}. That changes nothing for the run; docs/fleet.md#notifications tells what to look at.`,
        place: target.place,
      });
    }),
  );
}

/** @returns why it was not delivered; null where it was */
async function deliver(
  { context }: Teller,
  channel: Channel,
  news: News,
  signal: AbortSignal,
): Promise<string | null> {
  const secretOf = (reference: string): string => {
    const value = resolveReference(reference, context.variables).trim();
    context.secrets.add(value);
    return value;
  };
  try {
    const url = secretOf('slack' in channel ? channel.slack : channel.webhook);
    const token = 'token' in channel && channel.token !== undefined ? secretOf(channel.token) : null;
    if (!mayReceive(url)) return 'its address is not an https URL';
    const { username, password } = new URL(url);
    if (username || password) return 'its address holds a user or a password: pass a token instead';
    const told = hideIn(news, context.secrets);
    const message: Post =
      'slack' in channel
        ? { url, token, contentType: 'application/json', body: JSON.stringify(slackMessage(told)) }
        : { url, token, contentType: cloudEventType, body: JSON.stringify(cloudEvent(told)) };
    return await post(
      message,
      context.signal.aborted ? { answer: longest.stopping, retry: null } : patience,
      signal,
    );
  } catch (cause) {
    // Whatever else it says may hold the address.
    if (cause instanceof UpgradeError) return cause.message.replace(/\.$/, '');
    return 'the message could not be made';
  }
}

/** Fires when the time for all channels is over; sooner once the run is to stop. */
function timeLimit(stop: AbortSignal): Disposable & { signal: AbortSignal } {
  const over = new AbortController();
  const abort = (): void => over.abort();
  const timers = [setTimeout(abort, longest.calm)];
  const hurry = (): void => void timers.push(setTimeout(abort, longest.stopping));
  if (stop.aborted) hurry();
  else stop.addEventListener('abort', hurry, { once: true });
  return {
    signal: over.signal,
    [Symbol.dispose]() {
      stop.removeEventListener('abort', hurry);
      for (const timer of timers) clearTimeout(timer);
    },
  };
}
