import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { generated, place, tables } from '../../scripts/generate.ts';

describe('generated files', () => {
  it.each([...generated()])('%s is what the sources give', (file, text) => {
    expect(readFileSync(file, 'utf8'), 'run: npm run generate').toBe(text);
  });

  it('are the two schemas, the tables of the README, and action.yml for our reusable workflows', () => {
    expect([...generated().keys()]).toEqual([
      'schema/upgrade-spec.schema.json',
      'schema/upgrade-record.schema.json',
      'schema/upgrade-plan.schema.json',
      'README.md',
      '.github/actions/postgres-upgrade/action.yml',
    ]);
  });
});

describe('tables', () => {
  it('has a row for each input and output, on one line', () => {
    expect(
      tables({
        inputs: {
          spec: { description: 'Path\n  of a|b', default: 'x.yaml' },
          mode: { description: 'M', default: '' },
        },
        outputs: { result: { description: 'Result ' } },
      }),
    ).toEqual({
      inputs:
        '| Input | Meaning | Default |\n| - | - | - |\n| `spec` | Path of a\\|b | `x.yaml` |\n| `mode` | M | |',
      outputs: '| Output | Meaning |\n| - | - |\n| `result` | Result |',
    });
  });
});

describe('place', () => {
  it('replaces what stands between the markers, dollar signs and all', () => {
    const readme = 'a\n<!-- t:start -->\nold\n<!-- t:end -->\nb';
    expect(place(readme, 't', '$& $1')).toBe('a\n<!-- t:start -->\n$& $1\n<!-- t:end -->\nb');
  });

  it('refuses a README without markers', () => {
    expect(() => place('a', 't', 'x')).toThrow('README.md has no markers for t');
  });
});
