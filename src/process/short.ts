/** Short questions to programs (`--version` and the like), through @actions/exec. Never for anything that may hang. */
import { getExecOutput } from '@actions/exec';
import { cleanEnvironment } from './environment.ts';

/** Exit code, and standard output without white space around it. */
interface ShortAnswer {
  code: number;
  stdout: string;
}

/** Asks a program; null where it cannot be started at all. */
export async function ask(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<ShortAnswer | null> {
  try {
    const { exitCode, stdout } = await getExecOutput(`"${program}"`, [...args], {
      silent: true,
      ignoreReturnCode: true,
      env: cleanEnvironment(env),
    });
    return { code: exitCode, stdout: stdout.trim() };
  } catch {
    return null;
  }
}
