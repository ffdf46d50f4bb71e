/** YAML with places: where in the file a value stands. */
import { type Document, isMap, isNode, isScalar, LineCounter, type ParsedNode, parseDocument } from 'yaml';
import { messageOf, type Place, UpgradeError, UpgradeErrors } from '../errors.ts';

/** Keys and indexes from the top of the document. */
export type Path = readonly PropertyKey[];

/** A parsed file: its value, and where each part stands. */
export interface Source {
  value: unknown;
  /** Where a value stands; the nearest parent's place where it stands nowhere. */
  placeOf(path: Path): Place;
  /** Where the key at the end of the path stands. */
  placeOfKey(path: Path): Place;
}

/** Bytes; a spec is a few lines a target. */
export const largestSpec = 256 * 1024;

/** The error for a file that cannot be a spec. */
export function tooLarge(file: string): UpgradeError {
  return new UpgradeError('spec-size', `${file} is larger than ${largestSpec / 1024} KiB.`, {
    phase: 'spec',
    hint: 'A spec is a few lines per target: check that this is the right file.',
  });
}

/** @throws UpgradeErrors `spec-yaml`, UpgradeError `spec-size`, `spec-empty`, `spec-aliases` */
export function readYaml(text: string, file: string): Source {
  if (Buffer.byteLength(text) > largestSpec) throw tooLarge(file);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, strict: true });
  const at = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const faults = [...document.errors, ...document.warnings];
  if (faults.length > 0) {
    throw new UpgradeErrors(
      faults.map((fault) => {
        const place = at(fault.pos[0]);
        return new UpgradeError(
          'spec-yaml',
          `${file}:${place.line}:${place.column} is not valid YAML: ${withoutSource(fault.message)}`,
          {
            phase: 'spec',
            hint: 'Mend the line; an editor with YAML support shows the place.',
            place,
          },
        );
      }),
    );
  }
  if (document.contents === null || (isScalar(document.contents) && document.contents.value === null)) {
    throw new UpgradeError('spec-empty', `${file} is empty.`, {
      phase: 'spec',
      hint: 'Start with the example in examples/embedded.yaml.',
      place: { file, line: 1, column: 1 },
    });
  }
  return { value: toValue(document, file), ...places(document, at) };
}

function toValue(document: Document.Parsed, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 50 });
  } catch (cause) {
    throw new UpgradeError(
      'spec-aliases',
      `${file} cannot be expanded: ${withoutSource(messageOf(cause))}.`,
      {
        phase: 'spec',
        hint: 'A spec may use a few aliases, each below its anchor; a great many look like an alias bomb.',
      },
    );
  }
}

/** What the parser says without the piece of the file behind it: an unquoted password may begin like a tag or alias. */
function withoutSource(message: string): string {
  return message.replace(/(?: in YAML stream)?: .*$/s, '').replace(/ [%!].*$/s, '');
}

function places(
  document: Document.Parsed,
  at: (offset: number) => Place,
): Pick<Source, 'placeOf' | 'placeOfKey'> {
  const nodeAt = (path: Path): ParsedNode | null => {
    const found: unknown = path.length === 0 ? document.contents : document.getIn(path, true);
    return isNode(found) && found.range ? (found as ParsedNode) : null;
  };
  const placeOf = (path: Path): Place => {
    for (let length = path.length; length >= 0; length -= 1) {
      const node = nodeAt(path.slice(0, length));
      if (node) return at(node.range[0]);
    }
    return at(0);
  };
  return {
    placeOf,
    placeOfKey(path) {
      const parent = nodeAt(path.slice(0, -1));
      const key = path.at(-1);
      if (!isMap(parent)) return placeOf(path);
      const pair = parent.items.find((item) => isScalar(item.key) && item.key.value === key);
      return isScalar(pair?.key) && pair.key.range ? at(pair.key.range[0]) : placeOf(path);
    },
  };
}
