/** The spec as it stands in the workspace, and where its reports may go. */
import { readFile, stat } from 'node:fs/promises';
import { UpgradeError } from '../errors.ts';
import { largestSpec, tooLarge } from '../spec/yaml.ts';
import type { Inputs } from './inputs.ts';
import { fileInside, touchesWorkspace } from './inside.ts';

/**
 * Text of the spec. On GitHub it is a regular file of the workspace, also behind symbolic links: an error names what
 * stands in a line, and a link of a pull request could lead to anything on the runner.
 * @param specCopy the spec as main read it; empty in main
 * @throws UpgradeError `spec-unreadable`, `spec-size`
 */
export async function readSpec(
  { spec, specPath }: Pick<Inputs, 'spec' | 'specPath'>,
  workspace: string,
  onGitHub: boolean,
  specCopy: string,
): Promise<string> {
  let path = specCopy || specPath;
  if (onGitHub && specCopy === '') {
    const found = fileInside(workspace, specPath);
    if ('why' in found) throw unreadable(spec, found.why);
    path = found.path;
  }
  if (((await stat(path).catch(() => null))?.size ?? 0) > largestSpec) throw tooLarge(spec);
  return await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw unreadable(spec, cause.code === 'ENOENT' ? 'there is no such file' : cause.message, cause);
  });
}

function unreadable(spec: string, why: string, cause?: unknown): UpgradeError {
  return new UpgradeError('spec-unreadable', `The spec ${spec} cannot be read: ${why}.`, {
    phase: 'spec',
    hint: 'Check the input spec, and that actions/checkout ran before. examples/embedded.yaml shows how a spec looks.',
    ...(cause === undefined ? {} : { cause }),
  });
}

/**
 * For what nobody merged yet: in the workspace a pull request can lay links where reports are written.
 * @throws UpgradeError `output-folder`
 */
export function assertOutputElsewhere(workspace: string, folder: string): void {
  if (!touchesWorkspace(workspace, folder)) return;
  throw new UpgradeError(
    'output-folder',
    "On a pull request reports are not written into the workspace: its files are the pull request's.",
    {
      phase: 'inputs',
      hint: 'Leave the input output-directory empty, or name a folder below runner.temp.',
    },
  );
}
