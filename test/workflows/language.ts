/** What GitHub's own language service says of a workflow, asked with our action and our reusable workflows at hand. */
import { type ValidationConfig, validate } from '@actions/languageservice';
import type { ActionMetadata } from '@actions/languageservice/action';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { action, read } from './files.ts';

/** What actions/checkout takes, as far as we use it. */
const checkout = {
  name: 'Checkout',
  description: '',
  inputs: { 'persist-credentials': { description: '', default: 'true' } },
};

const known = new Map<string, ActionMetadata>([
  ['OWNER/postgres-upgrade-action', action],
  ['actions/checkout', checkout],
]);

const config: ValidationConfig = {
  actionsMetadataProvider: {
    fetchActionMetadata: ({ owner, name }) => Promise.resolve(known.get(`${owner}/${name}`)),
  },
  fileProvider: {
    // Files of this repository for `$/`, and for the placeholder by which the callers name it.
    getFileContent: (ref) => Promise.resolve({ name: ref.path, content: read(ref.path) }),
  },
};

let documents = 0;

/** `LINE: message` of each finding, lines from 1; `path` tells a workflow from an action. */
export async function findings(text: string, path = '.github/workflows/workflow.yml'): Promise<string[]> {
  // It remembers by address: each text needs one of its own.
  documents += 1;
  const uri = `file:///${documents}/${path}`;
  const found = await validate(TextDocument.create(uri, 'yaml', 1, text), config);
  return found.map(({ range, message }) => `${range.start.line + 1}: ${message}`);
}
