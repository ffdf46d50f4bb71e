/** An event as CloudEvents 1.0 in structured mode (JSON): one object with the attributes and the data. Pure. */
import type { Moment, News } from './news.ts';

/** Content type of structured mode. Source: CloudEvents, JSON Event Format 1.0. */
export const cloudEventType = 'application/cloudevents+json; charset=utf-8';

/** Types of the events. */
const types: Readonly<Record<Moment, string>> = {
  start: 'postgres-upgrade.started',
  pause: 'postgres-upgrade.paused',
  end: 'postgres-upgrade.finished',
};

/** The whole event. `docs/fleet.md` describes it. */
export interface CloudEvent {
  specversion: '1.0';
  id: string;
  source: string;
  type: string;
  subject: string;
  time: string;
  datacontenttype: 'application/json';
  data: Omit<News, 'id' | 'moment' | 'time' | 'source'>;
}

/** A receiver tells a repetition by `source` and `id`. */
export function cloudEvent({ id, moment, time, source, ...data }: News): CloudEvent {
  return {
    specversion: '1.0',
    id,
    source,
    type: types[moment],
    subject: data.target,
    time,
    datacontenttype: 'application/json',
    data,
  };
}
