/** What a pull request or a push changes at each target: the spec (or manifest) of its base against that of its head. */
import { relative } from 'node:path';
import { messageOf } from '../errors.ts';
import { classify, type Side } from '../report/change.ts';
import type { ChangeRecord } from '../report/record-change.ts';
import { type Api, openApi } from './api.ts';
import { fileAt, NotRead } from './base-files.ts';
import { type Sides, sidesOf } from './base-side.ts';
import { addChangedFiles } from './changed-files.ts';
import { eventOf } from './github.ts';
import type { Session } from './session.ts';

type Start = Pick<ChangeRecord, 'event' | 'number' | 'base' | 'head'>;

/** By name of the target, removed ones too; empty for other events. Never throws. */
export async function readChanges(session: Session): Promise<ReadonlyMap<string, ChangeRecord>> {
  const start = startOf(process.env);
  if (!start) return new Map();
  const { inputs, specText, manifests, log } = session;
  const changes = new Map<string, ChangeRecord>();
  const head = await sidesOf(specText, inputs.spec, manifests.read);
  try {
    const isNew = /^0+$/.test(start.base);
    const api = isNew ? null : await openApi(inputs.githubToken, process.env);
    if (!isNew && !api) throw new NotRead('there is no github-token to read the base with', false);
    const base: Sides = api ? await baseSides(api, session, start.base) : new Map();
    for (const name of new Set([...head.keys(), ...base.keys()]))
      changes.set(name, { ...start, ...compared(base.get(name) ?? null, head.get(name) ?? null) });
    if (api) await addChangedFiles(changes, session.targets, session.context.files, api);
  } catch (cause) {
    const why = messageOf(cause);
    log.annotate({
      level: 'warning',
      title: 'change',
      message: `What this ${start.event === 'push' ? 'push' : 'pull request'} changes is not known: ${why}.`,
    });
    for (const [name, side] of head)
      changes.set(name, { ...start, ...unknown(typeof side === 'string' ? null : side, why) });
  }
  return changes;
}

/** Base and head of the event; null for an event without. */
function startOf(variables: Readonly<Record<string, string | undefined>>): Start | null {
  const { pull_request: request, before, after } = eventOf(variables);
  if (variables.GITHUB_EVENT_NAME?.startsWith('pull_request') && request)
    return {
      event: 'pull_request',
      number: request.number,
      base: request.base.sha,
      head: request.head.sha,
    };
  if (variables.GITHUB_EVENT_NAME === 'push' && before)
    return { event: 'push', number: null, base: before, head: after ?? variables.GITHUB_SHA ?? '' };
  return null;
}

/** What the base says; nothing where it has no spec. @throws NotRead and what YAML throws */
async function baseSides(api: Api, { inputs }: Session, base: string): Promise<Sides> {
  const workspace = process.env.GITHUB_WORKSPACE || process.cwd();
  const path = relative(workspace, inputs.specPath).replaceAll('\\', '/');
  try {
    return await sidesOf(await fileAt(api, path, base), path, (file) => fileAt(api, file, base));
  } catch (cause) {
    if (cause instanceof NotRead && cause.absent) return new Map();
    throw cause;
  }
}

type Outcome = Pick<ChangeRecord, 'kind' | 'from' | 'to' | 'others' | 'why'>;

function compared(base: Side | string | null, head: Side | string | null): Outcome {
  if (typeof head === 'string') return unknown(null, head);
  if (typeof base === 'string') return unknown(head, base);
  return { ...classify(base, head), why: null };
}

function unknown(head: Side | null, why: string): Outcome {
  return { kind: 'unknown', from: null, to: head?.version ?? null, others: [], why };
}
