/** Names of channels: whoever is to be told must be in the spec. */
import { closest, distance } from 'fastest-levenshtein';
import { UpgradeError, UpgradeErrors } from '../errors.ts';
import type { Spec } from './schema.ts';
import { masked } from './shown.ts';
import type { Source } from './yaml.ts';

/** @throws UpgradeErrors `spec-channel`, one for each name in `notify` that is no key of `channels` */
export function assertChannels({ targets, channels }: Spec, source: Source): void {
  const known = Object.keys(channels);
  const errors = targets.flatMap(({ notify }, index) =>
    notify.flatMap((name, position) => {
      if (known.includes(name)) return [];
      const place = source.placeOf(['targets', index, 'notify', position]);
      return [
        new UpgradeError(
          'spec-channel',
          `${place.file}:${place.line}:${place.column} targets[${index}].notify names "${masked(name)}", which is not among the channels of the spec.`,
          { phase: 'spec', hint: hintFor(name, known), place },
        ),
      ];
    }),
  );
  if (errors.length > 0) throw new UpgradeErrors(errors);
}

function hintFor(name: string, known: readonly string[]): string {
  if (known.length === 0)
    return `Add it at the top of the spec: channels: { ${masked(name)}: { slack: env:SLACK_WEBHOOK_URL } }.`;
  const nearest = closest(name, [...known]);
  return distance(name, nearest) <= Math.max(2, name.length / 3)
    ? `Did you mean "${nearest}"?`
    : `Known: ${known.join(', ')}.`;
}
