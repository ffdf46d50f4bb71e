/** Our own rules for workflows: what GitHub's language service does not look at. */
import { action, isOurs, type Job, load, type Step } from './files.ts';

const pinned = /^[\w.-]+\/[\w./-]+@[0-9a-f]{40}$/;
const asked = /steps\.([\w-]+)\.outputs\.([\w-]+)/g;

function stepFaults(job: string, step: Step): string[] {
  const faults: string[] = [];
  const uses = step.uses ?? '';
  if (step.run?.includes(`\${{`)) faults.push(`${job}: an expression in run`);
  if (isOurs(step)) {
    for (const name of Object.keys(step.with ?? {}))
      if (!(name in action.inputs)) faults.push(`${job}: no input ${name}`);
  } else if (uses !== '' && !pinned.test(uses)) faults.push(`${job}: ${uses} is not pinned by a full commit`);
  if (uses.startsWith('actions/checkout@') && String(step.with?.['persist-credentials']) !== 'false')
    faults.push(`${job}: checkout leaves its token on the disk`);
  return faults;
}

function jobFaults(name: string, job: Job): string[] {
  const steps = job.steps ?? [];
  const ours = new Set(steps.filter(isOurs).map(({ id }) => id));
  const unknown = [...JSON.stringify(job).matchAll(asked)].filter(
    ([, id = '', output = '']) => ours.has(id) && !(output in action.outputs),
  );
  return [
    ...(job.permissions ? [] : [`${name}: no permissions`]),
    ...(job['timeout-minutes'] || job.uses ? [] : [`${name}: no timeout-minutes`]),
    ...(job.secrets === 'inherit' ? [`${name}: all secrets go to another file`] : []),
    ...unknown.map(([all]) => `${name}: ${all} is no output of the action`),
    ...steps.flatMap((step) => stepFaults(name, step)),
  ];
}

/** Lines that need a reason beside or above them, by what they begin with. */
function unexplained(text: string): string[] {
  const lines = text.split('\n');
  return lines.flatMap((line, index) => {
    const where = `line ${index + 1}`;
    const above = lines[index - 1]?.trimStart().startsWith('#');
    if (/^\s+[a-z-]+: (read|write)\b(?!.* # \S)/.test(line))
      return [`${where}: a permission without its reason`];
    if (/^\s+if:/.test(line) && !above) return [`${where}: a condition without its reason`];
    if (/uses: .*@[0-9a-f]{40}\b(?! # v\d+\.\d+\.\d+$)/.test(line))
      return [`${where}: a pin without its version`];
    return [];
  });
}

/** `on` may be one event, a list of them, or a map. */
function eventsOf({ on }: { on: unknown }): string[] {
  if (typeof on === 'string') return [on];
  return Array.isArray(on) ? on.map(String) : Object.keys(on as object);
}

/** What is wrong with any workflow of ours. */
export function faults(text: string): string[] {
  const workflow = load(text);
  return [
    ...(JSON.stringify(workflow.permissions) === '{}' ? [] : ['permissions at the top are not {}']),
    ...(eventsOf(workflow).includes('pull_request_target') ? ['pull_request_target'] : []),
    ...Object.entries(workflow.jobs).flatMap(([name, job]) => jobFaults(name, job)),
    ...unexplained(text),
  ];
}

/** Environments by what a run does; a pull request's run (which says what a merge does) has none. */
const environments: Readonly<Record<'change' | 'look' | 'pull', readonly (string | undefined)[]>> = {
  change: ['postgres', 'postgres-minor', `\${{ inputs.environment }}`],
  look: ['postgres-rehearsal', `\${{ inputs.read-environment }}`],
  pull: [undefined],
};
const changing = /^(upgrade|resume|rollback|\$\{\{ inputs\.mode \}\})$/;

/** What is wrong with a workflow that works on targets: one run for each target, and no change without environment. */
export function targetFaults(text: string): string[] {
  const { jobs, concurrency } = load(text);
  const work = Object.entries(jobs).flatMap(([name, job]) =>
    (job.steps ?? []).filter(isOurs).map((step) => ({ name, job, step })),
  );
  return [
    // The caller's group and the called one's would be the same: GitHub cancels such a run as a deadlock.
    ...(concurrency === undefined ? [] : ['a group for the whole workflow']),
    ...work.flatMap(({ name, job, step }) => {
      const mode = step.with?.mode ?? '';
      if (mode === 'list') return step.with?.variables ? [`${name}: list needs no secret`] : [];
      const kind = changing.test(mode) ? 'change' : step.with?.['at-merge'] ? 'pull' : 'look';
      const expected = {
        group: `postgres-upgrade-${step.with?.targets}`,
        queue: 'max',
        'cancel-in-progress': false,
      };
      return [
        ...(JSON.stringify(job.concurrency) === JSON.stringify(expected)
          ? []
          : [`${name}: not one run a target`]),
        ...(environments[kind].includes(job.environment) ? [] : [`${name}: not the environment of ${mode}`]),
      ];
    }),
  ];
}
