/** Finds the wanted version in a manifest: a Kubernetes object, a compose file, values of a Helm chart. Pure. */
import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  LineCounter,
  type Node,
  parseAllDocuments,
  type Scalar,
  visit,
  type YAMLMap,
} from 'yaml';
import { type Place, UpgradeError } from '../errors.ts';
import { type ImageReference, parseImage, sameImage } from './image.ts';

/** Bytes; a manifest is written by people, or by a tool for people. */
export const largestManifest = 1024 * 1024;

/** What a manifest says of one image. */
export interface FoundImage {
  image: ImageReference;
  place: Place;
}

/** The error for a manifest that nobody can read. */
export function unreadable(
  file: string,
  why: string,
  place: Place = { file, line: 1, column: 1 },
): UpgradeError {
  return new UpgradeError('manifest-unreadable', `${at(place)} cannot be read: ${why}.`, {
    phase: 'spec',
    hint: 'The key postgres.from names a YAML file of the repository by its path from the root; at most 1 MiB, no template of a template engine.',
    docs: 'spec.md#the-version-in-a-manifest',
    place,
  });
}

function at({ file, line, column }: Place): string {
  return `${file}:${line}:${column}`;
}

function wrong(found: FoundImage | Place, what: string, hint: string): UpgradeError {
  const place = 'place' in found ? found.place : found;
  return new UpgradeError('manifest-image', `${at(place)} ${what}.`, {
    phase: 'spec',
    hint,
    docs: 'spec.md#the-version-in-a-manifest',
    place,
  });
}

/**
 * The one reference to `name` in a manifest of one or several documents: `image: NAME:TAG` at any depth, or
 * `image: { repository, tag }`.
 * @throws UpgradeError `manifest-unreadable`, `manifest-image`
 */
export function findImage(text: string, file: string, name: string): FoundImage {
  const wanted = parseImage(name);
  if (!wanted || wanted.tag !== null || wanted.digest !== null)
    throw wrong(
      { file, line: 1, column: 1 },
      `is looked at for "${name}", which is no name of an image`,
      fixName,
    );
  const all = imagesOf(text, file).filter(({ image }) => sameImage(image, wanted));
  const [first] = all;
  if (!first)
    throw wrong(
      { file, line: 1, column: 1 },
      `has no image ${name}`,
      `Name the image as the manifest does, without its tag. ${fixName}`,
    );
  const other = all.find(({ image }) => image.tag !== first.image.tag || image.digest !== first.image.digest);
  if (other)
    throw wrong(
      other,
      `has ${other.image.text}, and line ${first.place.line} has ${first.image.text}`,
      'One target has one version: put the other one into a manifest of its own.',
    );
  if (first.image.version === null)
    throw wrong(
      first,
      `has ${first.image.text}, which names no minor version`,
      `Pin a minor version, for example ${name}:15.20 or ${name}:15.20-bookworm: whatever moves by itself cannot be planned.`,
    );
  return first;
}

const fixName = 'For example postgres, or ghcr.io/acme/postgres.';

/** Every reference to an image, in the order of the file. */
function imagesOf(text: string, file: string): FoundImage[] {
  if (Buffer.byteLength(text) > largestManifest) throw unreadable(file, 'it is larger than 1 MiB');
  const lines = new LineCounter();
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const documents = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false });
  const found: FoundImage[] = [];
  for (const document of 'empty' in documents ? [] : documents) {
    const [fault] = document.errors;
    if (fault) throw unreadable(file, fault.message, placeAt(fault.pos[0]));
    const named = aliasesOf(document);
    visit(document, {
      Pair(_, { key, value }) {
        if (!isScalar(key) || key.value !== 'image') return;
        const node = isAlias(value) ? named.get(value) : value;
        const place = placeAt((isScalar(value) || isAlias(value) ? value.range : key.range)?.[0] ?? 0);
        const reference = isScalar(node)
          ? String(node.value ?? '')
          : isMap(node)
            ? chartImage(node, named, place)
            : '';
        const image = parseImage(reference);
        if (image) found.push({ image, place: isMap(node) ? tagPlace(node, placeAt, place) : place });
      },
    });
  }
  return found;
}

type Named = ReadonlyMap<Alias, Node>;

/** What each alias stands for, found in one pass: the library looks through the whole document for every one. */
function aliasesOf(document: Document): Named {
  const anchors = new Map<string, Node>();
  const named = new Map<Alias, Node>();
  visit(document, {
    Alias(_, alias) {
      const node = anchors.get(alias.source);
      if (node) named.set(alias, node);
    },
    Value(_, node) {
      if (node.anchor !== undefined) anchors.set(node.anchor, node);
    },
  });
  return named;
}

/** Values of a Helm chart: `image: { registry, repository, tag, digest }`. */
function chartImage(map: YAMLMap, named: Named, place: Place): string {
  const text = (key: string): string => {
    const found: unknown = map.get(key, true);
    const node = isAlias(found) ? named.get(found) : found;
    if (!isScalar(node) || node.value === null) return '';
    if (key === 'tag' && typeof node.value === 'number' && loses(node as Scalar<number>))
      throw wrong(
        place,
        `has the tag ${node.source}, a number that loses its last zero`,
        `Quote it: tag: "${node.source}".`,
      );
    return typeof node.value === 'string' ? node.value : (node.source ?? String(node.value));
  };
  const [registry, repository, tag, digest] = [
    text('registry'),
    text('repository'),
    text('tag'),
    text('digest'),
  ];
  if (repository === '') return '';
  return `${registry && `${registry}/`}${repository}${tag && `:${tag}`}${digest && `@${digest}`}`;
}

/** Whoever renders the chart sees the number, not what was written. */
function loses({ value, source }: Scalar<number>): boolean {
  return source !== undefined && String(value) !== source;
}

function tagPlace(map: YAMLMap, placeAt: (offset: number) => Place, fallback: Place): Place {
  const tag: unknown = map.get('tag', true);
  return isScalar(tag) && tag.range ? placeAt(tag.range[0]) : fallback;
}
