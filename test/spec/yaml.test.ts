import { describe, expect, it } from 'vitest';
import { complaints, sentences, smallest } from './specs.ts';

/** Nine to the power of seven nodes once it is expanded. */
function bomb(): string {
  let text = 'a: &a [x,x,x,x,x,x,x,x,x]\n';
  for (const [before, name] of ['ab', 'bc', 'cd', 'de', 'ef', 'fg'])
    text += `${name}: &${name} [${Array(9).fill(`*${before}`).join(',')}]\n`;
  return text;
}

describe('a file that is no YAML', () => {
  it.each([
    [
      'two equal keys',
      `${smallest}    postgres: "15.19"\n`,
      '7:5 is not valid YAML: Map keys must be unique',
    ],
    ['an unknown tag', smallest.replace('"15.20"', '!latest x'), '4:15 is not valid YAML: Unresolved tag'],
    [
      'a tab',
      smallest.replace('    postgres', '\tpostgres'),
      '4:1 is not valid YAML: Tabs are not allowed as indentation',
    ],
  ])('because of %s', (_what, text, sentence) => {
    const [first] = complaints(text);
    expect(first).toEqual({
      code: 'spec-yaml',
      message: `spec.yaml:${sentence}`,
      hint: 'Mend the line; an editor with YAML support shows the place.',
      place: expect.objectContaining({ file: 'spec.yaml', line: Number(sentence.split(':')[0]) }),
    });
  });

  it('tells every equal key', () => {
    expect(sentences(`${smallest}    postgres: "15.19"\n    name: again\n`)).toEqual([
      'spec.yaml:7:5 is not valid YAML: Map keys must be unique',
      'spec.yaml:8:5 is not valid YAML: Map keys must be unique',
    ]);
  });
});

describe('a file that is no spec', () => {
  it.each([[''], ['\n\n'], ['# only a comment\n'], ['null\n'], ['~\n'], ['---\n']])('%j is empty', (text) => {
    expect(complaints(text)).toEqual([
      {
        code: 'spec-empty',
        message: 'spec.yaml is empty.',
        hint: 'Start with the example in examples/embedded.yaml.',
        place: { file: 'spec.yaml', line: 1, column: 1 },
      },
    ]);
  });

  it.each([
    ['- 1\n', '1:1 the spec is [1]: write keys and their values.'],
    ['hello\n', '1:1 the spec is "hello": write keys and their values.'],
    ['version: 1\n', '1:1 targets is missing.'],
    ['version: 1\ntargets: []\n', '2:10 targets is []: write at least 1.'],
    ['version: 1\ntargets: orders\n', '2:10 targets is "orders": write a list, for example [a, b].'],
  ])('%j has another shape', (text, sentence) => {
    expect(sentences(text)).toEqual([`spec.yaml:${sentence}`]);
  });

  it('is refused by its size before it is read', () => {
    expect(sentences('#'.repeat(256 * 1024))).toEqual(['spec.yaml is empty.']);
    expect(complaints('{'.repeat(256 * 1024 + 1))).toEqual([
      {
        code: 'spec-size',
        message: 'spec.yaml is larger than 256 KiB.',
        hint: 'A spec is a few lines per target: check that this is the right file.',
        place: undefined,
      },
    ]);
  });

  it.each([
    ['an alias bomb', bomb(), 'Excessive alias count indicates a resource exhaustion attack'],
    ['an alias of nothing', 'version: *nope\n', 'Unresolved alias (the anchor must be set before the alias)'],
  ])('because of %s', (_what, text, why) => {
    expect(complaints(text)).toEqual([
      {
        code: 'spec-aliases',
        message: `spec.yaml cannot be expanded: ${why}.`,
        hint: 'A spec may use a few aliases, each below its anchor; a great many look like an alias bomb.',
        place: undefined,
      },
    ]);
  });
});

describe('two targets of one name', () => {
  it('are refused at the second', () => {
    expect(complaints(smallest + smallest.split('targets:\n')[1])).toEqual([
      {
        code: 'spec-duplicate',
        message: 'spec.yaml:7:5 the name "orders" is used twice.',
        hint: 'Give each target a name of its own.',
        place: { file: 'spec.yaml', line: 7, column: 5 },
      },
    ]);
  });
});
