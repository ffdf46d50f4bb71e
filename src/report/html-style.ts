/** The looks of report.html: one accent colour, which is the verdict's. */
import { trusted } from './markup.ts';

/** The page's only style sheet. Colours are set three times: light, dark, paper. */
export const style = trusted(`
:root {
  color-scheme: light dark;
  --paper: #fbfbf9; --card: #ffffff; --ink: #1d2229; --soft: #5b6570; --line: #e2e4e1; --code: #f1f2ef;
  --accent: #1f6f5c; --banner: #1f6f5c; --on-banner: #ffffff;
}
.wait { --accent: #85560a; --banner: #85560a; }
.bad { --accent: #a8322a; --banner: #a8322a; }
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14171a; --card: #1b1f23; --ink: #e4e7ea; --soft: #98a2ad; --line: #2d3339; --code: #252a30;
    --accent: #63c2a8; --banner: #1c4a3f; --on-banner: #edf6f3;
  }
  .wait { --accent: #e0b05c; --banner: #54400f; --on-banner: #faf3e4; }
  .bad { --accent: #ef8d84; --banner: #6b2721; --on-banner: #fdeeec; }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0; background: var(--paper); color: var(--ink); overflow-wrap: anywhere;
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
main, header .inner, footer { max-width: 60rem; margin: 0 auto; padding: 0 1.25rem; }
header { background: var(--banner); color: var(--on-banner); padding: 2.25rem 0 2rem; }
header .result { margin: 0 0 .5rem; font-size: .875rem; font-weight: 600; letter-spacing: .01em; opacity: .92; }
h1 { margin: 0; font-size: clamp(1.375rem, 1.1rem + 1.4vw, 2rem); line-height: 1.25; font-weight: 650; letter-spacing: -.012em; text-wrap: balance; }
header .state { margin: .75rem 0 0; max-width: 46rem; }
h2 { margin: 0 0 .875rem; font-size: 1.1875rem; line-height: 1.3; font-weight: 650; letter-spacing: -.006em; }
h3 { margin: 1.25rem 0 .5rem; font-size: 1rem; font-weight: 650; }
section { margin: 2.5rem 0; }
p { margin: 0 0 .75rem; max-width: 46rem; text-wrap: pretty; }
.soft { color: var(--soft); }
dl { margin: 0; border-top: 1px solid var(--line); }
dl > div { display: grid; grid-template-columns: 13rem 1fr; gap: 0 1.25rem; padding: .5rem 0; border-bottom: 1px solid var(--line); }
@media (min-width: 52rem) { dl.dense { display: grid; grid-template-columns: 1fr 1fr; gap: 0 2rem; } dl.dense > div { grid-template-columns: 11rem 1fr; } }
dl + details { margin-top: 1rem; }
dt { color: var(--soft); }
dd { margin: 0; min-width: 0; }
code, pre { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace; font-size: .875em; }
code { padding: .1em .3em; border-radius: 4px; background: var(--code); white-space: break-spaces; }
pre { margin: .5rem 0 1rem; padding: .75rem 1rem; border-radius: 6px; background: var(--code); overflow-x: auto; overflow-wrap: normal; line-height: 1.5; }
pre.copy { white-space: pre-wrap; overflow-wrap: anywhere; user-select: all; -webkit-user-select: all; }
a { color: var(--accent); text-underline-offset: .15em; }
h4 { margin: 1rem 0 .375rem; font-size: 1rem; font-weight: 600; }
.where { margin: .75rem 0 0; padding-left: .875rem; border-left: 2px solid var(--line); } .where pre { margin-bottom: .5rem; }
ul, ol { margin: 0 0 .75rem; padding-left: 1.25rem; }
li { margin: .2rem 0; }
.scroll { overflow-x: auto; margin: 0 0 1rem; border: 1px solid var(--line); border-radius: 8px; background: var(--card); }
table { width: 100%; border-collapse: collapse; font-size: .9375rem; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
th { text-align: left; font-weight: 600; color: var(--soft); white-space: nowrap; }
th, td { padding: .5rem .875rem; vertical-align: top; border-bottom: 1px solid var(--line); }
tbody tr:last-child td { border-bottom: 0; }
table.four { min-width: 34rem; } table.more { min-width: 48rem; }
td { min-width: 5.75rem; overflow-wrap: break-word; }
td:first-child { min-width: 8rem; }
time, .score, .id { white-space: nowrap; }
.under { display: block; color: var(--soft); font-size: .8125rem; }
table.result { width: auto; min-width: 100%; } .result th { white-space: normal; min-width: 5.75rem; } .result th, .result td { max-width: 24rem; }
td ul { margin: 0; padding-left: 1rem; }
.badge { display: inline-block; padding: .05rem .5rem; border: 1px solid var(--line); border-radius: 99px; font-size: .8125rem; line-height: 1.45; white-space: nowrap; color: var(--soft); }
.badge.medium { border-color: var(--ink); color: var(--ink); }
.badge.strong { border-color: var(--ink); background: var(--ink); color: var(--paper); font-weight: 600; }
.next { padding: 1.125rem 1.25rem .5rem; border: 1px solid var(--accent); border-radius: 8px; background: var(--card); }
.next h2 { color: var(--accent); }
.next pre { white-space: pre-wrap; overflow-wrap: anywhere; }
.checks { list-style: none; padding: 0; }
.checks > li { padding: .75rem 0; border-bottom: 1px solid var(--line); }
.checks > li:first-child { border-top: 1px solid var(--line); }
.checks .title { font-weight: 600; margin-left: .375rem; } .checks .title.plain { margin-left: 0; }
ul ul { list-style: disc; }
.checks ul, .checks p { margin: .375rem 0 0; }
details details, .where details { background: none; }
details { margin: 0 0 .75rem; border: 1px solid var(--line); border-radius: 8px; background: var(--card); padding: 0 1rem; }
summary { margin: 0 -1rem; padding: .625rem 1rem; cursor: pointer; font-weight: 600; }
details[open] > summary { border-bottom: 1px solid var(--line); margin-bottom: .875rem; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
figure { margin: 0 0 1rem; padding: 1rem 1rem .75rem; border: 1px solid var(--line); border-radius: 8px; background: var(--card); }
figcaption { margin-top: .5rem; font-size: .875rem; color: var(--soft); }
svg { display: block; width: 100%; overflow: visible; font: 13px/1 system-ui, -apple-system, "Segoe UI", Roboto, Arial, sans-serif; }
svg text { fill: var(--ink); } svg .faint { fill: var(--soft); font-variant-numeric: tabular-nums; }
svg .track { fill: var(--code); } svg .bar { fill: var(--soft); stroke: var(--soft); stroke-width: 2; }
svg .bar.wrong { fill: var(--ink); stroke: var(--ink); }
svg .gap { fill: var(--accent); stroke: var(--accent); stroke-width: 2; }
svg .band { fill: var(--accent); stroke: var(--accent); stroke-width: 1; opacity: .16; }
svg.mini { width: 7rem; max-width: 100%; margin: .3rem 0 .15rem; overflow: hidden; }
.score svg.mini { display: inline-block; width: 4rem; margin: 0 0 .1rem .5rem; vertical-align: middle; }
svg.mini .bar { stroke: none; fill: var(--ink); } svg.mini .bar.was { fill: var(--soft); }
svg.line { width: calc(100% - 12px); margin: 0 6px; }
svg.line svg { display: inline; width: 1px; height: 1px; }
svg .rail { stroke: var(--line); stroke-width: 2; } svg .rail.open { stroke-dasharray: 3 4; stroke: var(--soft); }
svg .way { stroke: var(--accent); stroke-width: 4; }
svg .lead, svg .end { stroke: var(--soft); stroke-width: 1; }
svg .dot { fill: var(--soft); } svg .dot.marked { fill: var(--accent); stroke: var(--card); stroke-width: 2; }
svg .dot.hollow { fill: var(--card); stroke: var(--soft); stroke-width: 1.5; } svg .dot.marked.hollow { stroke: var(--accent); stroke-width: 2.5; }
svg .cross { stroke: var(--ink); stroke-width: 2; }
svg text.mark { font-weight: 600; paint-order: stroke; stroke: var(--card); stroke-width: 4px; }
.swatch { display: inline-block; width: .75em; height: .75em; border-radius: 2px; background: var(--accent); }
footer { padding-top: 1.25rem; padding-bottom: 3rem; border-top: 1px solid var(--line); font-size: .875rem; color: var(--soft); }
@media (max-width: 40rem) {
  header { padding: 1.5rem 0; }
  dl > div { grid-template-columns: 1fr; }
  dt { font-size: .875rem; }
  section { margin: 2rem 0; }
}
@media print {
  :root, .wait, .bad { --paper: #fff; --card: #fff; --ink: #000; --soft: #444; --line: #bbb; --code: #f3f3f3; --accent: #000; --on-banner: #000; }
  body { font-size: 10.5pt; }
  header { background: none; border-bottom: 2px solid #000; padding: 0 0 1rem; }
  main, header .inner, footer { max-width: none; padding: 0; }
  section { margin: 1.5rem 0; }
  h2, h3, summary { break-after: avoid; }
  tr, figure, .checks > li { break-inside: avoid; }
  .scroll, pre { overflow: visible; } pre { white-space: pre-wrap; }
  details::details-content { content-visibility: visible; block-size: auto; }
}
`);
