/** Real dates on which clocks change: an upgrade an hour beside its window is an upgrade outside of it. */
import { describe, expect, it } from 'vitest';
import type { MaintenanceWindow } from '../../src/spec/fleet-schema.ts';
import { momentWords, spanWords, windowAt, windowWords } from '../../src/upgrade/window.ts';
import { isoIn } from '../../src/upgrade/zone.ts';

const everyDay: MaintenanceWindow['days'] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

function windowOf(
  hours: string,
  zone = 'UTC',
  days: MaintenanceWindow['days'] = everyDay,
): MaintenanceWindow {
  return { days, hours, 'time-zone': zone };
}

/** `open until …` or `closed until …`, in the window's own zone. */
function at(now: string, ...windows: MaintenanceWindow[]): string {
  const state = windowAt(windows, new Date(now));
  const moment = state.open ? state.closes : state.opens;
  const zone = state.window['time-zone'];
  return `${state.open ? 'open' : 'closed'} until ${moment === null ? 'never' : isoIn(moment.getTime(), zone)}`;
}

describe('a window', () => {
  const night = windowOf('22:00-04:00', 'UTC', ['fri']);

  it.each([
    ['2026-11-20T21:59:59Z', 'closed until 2026-11-20T22:00:00+00:00'],
    ['2026-11-20T22:00:00Z', 'open until 2026-11-21T04:00:00+00:00'],
    // Saturday, and the window is Friday's.
    ['2026-11-21T03:59:59.999Z', 'open until 2026-11-21T04:00:00+00:00'],
    ['2026-11-21T04:00:00Z', 'closed until 2026-11-27T22:00:00+00:00'],
    ['2026-11-21T23:00:00Z', 'closed until 2026-11-27T22:00:00+00:00'],
    // Friday morning belongs to Thursday's night, which is none.
    ['2026-11-20T02:00:00Z', 'closed until 2026-11-20T22:00:00+00:00'],
  ])('across midnight, at %s', (now, state) => expect(at(now, night)).toBe(state));

  it('is that of the day in its own zone', () => {
    const tokyo = windowOf('01:00-03:00', 'Asia/Tokyo', ['sat']);
    expect(at('2026-11-20T16:30:00Z', tokyo)).toBe('open until 2026-11-21T03:00:00+09:00');
    expect(at('2026-11-21T16:30:00Z', tokyo)).toBe('closed until 2026-11-28T01:00:00+09:00');
  });

  it('may last until midnight', () => {
    const whole = windowOf('00:00-24:00', 'Europe/Berlin', ['sun']);
    expect(at('2026-11-22T22:59:00Z', whole)).toBe('open until 2026-11-23T00:00:00+01:00');
    expect(at('2026-11-22T23:00:00Z', whole)).toBe('closed until 2026-11-29T00:00:00+01:00');
    // 25 hours.
    expect(at('2026-10-24T22:00:00Z', whole)).toBe('open until 2026-10-26T00:00:00+01:00');
  });

  it('of several is the one that closes last, or opens first', () => {
    const lunch = windowOf('12:00-13:00', 'UTC', ['sat']);
    const long = windowOf('12:30-18:00', 'UTC', ['sat']);
    expect(at('2026-11-21T12:45:00Z', lunch, night, long)).toBe('open until 2026-11-21T18:00:00+00:00');
    expect(at('2026-11-21T12:15:00Z', long, night, lunch)).toBe('open until 2026-11-21T13:00:00+00:00');
    expect(at('2026-11-22T12:15:00Z', long, night, lunch)).toBe('closed until 2026-11-27T22:00:00+00:00');
  });

  it('of half an hour beside UTC', () => {
    expect(at('2026-11-20T16:30:00Z', windowOf('22:00-23:00', 'Asia/Kolkata'))).toBe(
      'open until 2026-11-20T23:00:00+05:30',
    );
  });
});

describe('in spring, when an hour is skipped', () => {
  const berlin = windowOf('01:30-03:30', 'Europe/Berlin');

  it.each([
    ['2026-03-29T00:29:00Z', 'closed until 2026-03-29T01:30:00+01:00'],
    ['2026-03-29T00:30:00Z', 'open until 2026-03-29T03:30:00+02:00'],
    ['2026-03-29T01:29:00Z', 'open until 2026-03-29T03:30:00+02:00'],
    ['2026-03-29T01:30:00Z', 'closed until 2026-03-30T01:30:00+02:00'],
  ])('a window over it is an hour shorter: %s', (now, state) => expect(at(now, berlin)).toBe(state));

  it('one that starts in it opens when the clock jumps', () => {
    const window = windowOf('02:30-04:00', 'Europe/Berlin');
    expect(at('2026-03-29T00:59:59Z', window)).toBe('closed until 2026-03-29T03:00:00+02:00');
    expect(at('2026-03-29T01:00:00Z', window)).toBe('open until 2026-03-29T04:00:00+02:00');
  });

  it('one inside of it does not open that day', () => {
    const weekly = windowOf('02:15-02:45', 'Europe/Berlin', ['sun']);
    expect(at('2026-03-28T12:00:00Z', weekly)).toBe('closed until 2026-04-05T02:15:00+02:00');
    expect(at('2026-03-29T01:00:00Z', weekly)).toBe('closed until 2026-04-05T02:15:00+02:00');
  });

  it('in New York it is another day', () => {
    const window = windowOf('22:00-04:00', 'America/New_York', ['sat']);
    expect(at('2026-03-08T07:30:00Z', window)).toBe('open until 2026-03-08T04:00:00-04:00');
    expect(at('2026-03-08T08:00:00Z', window)).toBe('closed until 2026-03-14T22:00:00-04:00');
  });
});

describe('in autumn, when an hour comes twice', () => {
  it.each([
    ['2026-10-24T23:59:00Z', 'closed until 2026-10-25T02:00:00+02:00'],
    ['2026-10-25T00:00:00Z', 'open until 2026-10-25T03:00:00+01:00'],
    ['2026-10-25T01:59:00Z', 'open until 2026-10-25T03:00:00+01:00'],
    ['2026-10-25T02:00:00Z', 'closed until 2026-10-26T02:00:00+01:00'],
  ])('a window over it is an hour longer: %s', (now, state) =>
    expect(at(now, windowOf('02:00-03:00', 'Europe/Berlin'))).toBe(state),
  );

  it('one that ends in it closes the first time', () => {
    const window = windowOf('22:00-02:30', 'Europe/Berlin');
    expect(at('2026-10-25T00:29:00Z', window)).toBe('open until 2026-10-25T02:30:00+02:00');
    expect(at('2026-10-25T00:30:00Z', window)).toBe('closed until 2026-10-25T22:00:00+01:00');
    // The second half past two.
    expect(at('2026-10-25T01:15:00Z', window)).toBe('closed until 2026-10-25T22:00:00+01:00');
  });

  it('in New York', () => {
    const window = windowOf('01:30-01:45', 'America/New_York', ['sun']);
    expect(at('2026-11-01T05:30:00Z', window)).toBe('open until 2026-11-01T01:45:00-04:00');
    expect(at('2026-11-01T06:30:00Z', window)).toBe('closed until 2026-11-08T01:30:00-05:00');
  });
});

describe('words', () => {
  it('name the window', () => {
    expect(windowWords(windowOf('22:00-04:00', 'Europe/Berlin', ['fri', 'sat']))).toBe(
      'fri, sat 22:00-04:00 Europe/Berlin',
    );
    expect(windowWords(windowOf('01:00-02:00'))).toBe('every day 01:00-02:00 UTC');
  });

  it('name a moment in its zone and in UTC', () => {
    const moment = new Date('2026-11-21T21:00:00Z');
    expect(momentWords(moment, 'Europe/Berlin')).toBe(
      'Saturday 21 November 2026, 22:00 Europe/Berlin (2026-11-21T22:00:00+01:00, in UTC 2026-11-21T21:00:00Z)',
    );
    expect(momentWords(moment, 'UTC')).toBe('Saturday 21 November 2026, 21:00 UTC (2026-11-21T21:00:00Z)');
  });

  it.each([
    [1, '1 minute'],
    [60_000, '1 minute'],
    [60_001, '2 minutes'],
    [3_600_000, '1 hour'],
    [3_900_000, '1 hour 5 minutes'],
    [86_400_000, '1 day'],
    [183_600_000, '2 days 3 hours'],
    [86_520_000, '1 day'],
  ])('name a span of %i ms', (ms, words) => expect(spanWords(ms)).toBe(words));
});
