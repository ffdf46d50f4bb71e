/** Bars beside a number. They repeat what the number says, so nobody who does not see them misses anything. */
import { html, type Markup } from './markup.ts';
import { barsOf, type Measure } from './measure.ts';

/** One thin bar; percent of the room it has. */
export function bar(percent: number): Markup {
  return drawn([['bar', percent]]);
}

/** Two thin bars, before above after, on one scale. */
export function twoBars(measure: Measure): Markup {
  const [before, after] = barsOf(measure);
  return drawn([
    ['bar was', before],
    ['bar', after],
  ]);
}

function drawn(bars: readonly (readonly [string, number])[]): Markup {
  return html`<svg class="mini" height="${bars.length * 8 - 2}" aria-hidden="true">${bars.map(
    ([kind, percent], index) =>
      html`<rect class="track" x="0" y="${index * 8}" width="100%" height="6" rx="1"/><rect class="${kind}" x="0" y="${index * 8}" width="${inRange(percent)}%" height="6" rx="1"/>`,
  )}</svg>`;
}

function inRange(percent: number): string {
  return Math.min(100, Math.max(0, percent)).toFixed(1);
}
