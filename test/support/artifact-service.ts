/**
 * A loopback stand-in of GitHub's artifact service, as `@actions/artifact` 6 talks to it: the Twirp
 * JSON API (snake_case names, int64 as strings, wrappers as bare values) and the blob store behind it.
 * It hashes what it received itself, so that a test can hold the client's claims against the bytes.
 */
import { randomUUID } from 'node:crypto';
import { type BlobOperation, type BlobStore, blobOperation, createBlobStore } from './blob-store.ts';
import {
  answerJson,
  type JsonObject,
  type LoopbackServer,
  listen,
  parseObject,
  readBody,
  takePlanted,
  unsignedJwt,
} from './receiver.ts';

export type Method =
  | 'CreateArtifact'
  | 'FinalizeArtifact'
  | 'ListArtifacts'
  | 'GetSignedArtifactURL'
  | 'DeleteArtifact';
export type Operation = Method | BlobOperation;

/** A finalized artifact; size, hash and content are of the bytes that arrived. */
export interface StoredArtifact {
  name: string;
  id: number;
  size: number;
  /** Hex. */
  sha256: string;
  content: Buffer;
  mimeType: string;
  expiresAt: Date | undefined;
}

/** A finalize whose claim differs from what arrived. */
export interface Mismatch {
  name: string;
  claimed: { size: number; sha256: string | undefined };
  received: { size: number; sha256: string };
}

export interface Fault {
  /** An HTTP status; `hang` never answers; `reset` cuts the connection. */
  status: number | 'hang' | 'reset';
  /** How many requests it hits; every one when absent. */
  times?: number;
  code?: string;
  msg?: string;
}

export interface Faults {
  /** Several faults for one operation are used up in the order planted. */
  plant(operation: Operation, fault: Fault): void;
  /** Answers 200 with `ok: false`: the service's way of saying no without an error. */
  refuse(method: 'CreateArtifact' | 'FinalizeArtifact' | 'DeleteArtifact'): void;
  /** ListArtifacts tells this digest (`sha256:<hex>`) or size of every artifact. */
  lie(about: { digest?: string; size?: number }): void;
  /** Loses this block (from 0) of the next upload while answering 201. */
  dropBlock(number: number): void;
  /** Takes back all that was planted, but for a dropped block. */
  clear(): void;
}

export interface ArtifactService extends LoopbackServer {
  resultsUrl: string;
  runtimeToken: string;
  /** What the runner gives a JavaScript action for its artifacts. */
  environment: Record<string, string>;
  /** The same for another run or job; a run sees its own artifacts only, of all its jobs. */
  environmentOf(run: string, job: string): Record<string, string>;
  artifacts(): StoredArtifact[];
  /** Names created and never finalized: what an interrupted upload leaves. */
  pending(): string[];
  mismatches(): readonly Mismatch[];
  /** Every operation asked for, in order, failed ones too. */
  requests(): readonly Operation[];
  faults: Faults;
}

type Caller = { run: string; job: string };

interface Entry extends Caller {
  id: number;
  name: string;
  mimeType: string;
  createdAt: Date;
  expiresAt: Date | undefined;
  /** What the client said at finalize; undefined until then. */
  claim: { size: number; digest: string | undefined } | undefined;
}

interface State {
  origin: string;
  blobs: BlobStore;
  entries: Entry[];
  mismatches: Mismatch[];
  nextId: number;
  lie: { digest?: string; size?: number };
  refused: Set<string>;
  issued: Map<string, Caller>;
}

type Reply = { status: number; body: Record<string, unknown> };

const service = '/twirp/github.actions.results.api.v1.ArtifactService/';
const codes = {
  malformed: 400,
  unauthenticated: 401,
  permission_denied: 403,
  not_found: 404,
  already_exists: 409,
};
const isMethod = (name: string): name is Method => Object.hasOwn(methods, name);
const success = (body: Reply['body']): Reply => ({ status: 200, body });
const failure = (code: keyof typeof codes, msg: string): Reply => ({
  status: codes[code],
  body: { code, msg },
});

/** Starts the service on 127.0.0.1, for one run and job to begin with. */
export async function startArtifactService(): Promise<ArtifactService> {
  const requests: Operation[] = [];
  const planted = new Map<Operation, Fault[]>();
  const state: State = {
    origin: '',
    blobs: createBlobStore(),
    entries: [],
    mismatches: [],
    // Above 2^31, as GitHub's are: an identifier kept in 32 bits shows.
    nextId: 5_000_000_001,
    lie: {},
    refused: new Set(),
    issued: new Map(),
  };

  const server = await listen(async (request, response, url) => {
    const name = url.pathname.startsWith(service) ? url.pathname.slice(service.length) : '';
    const method = request.method === 'POST' && isMethod(name) ? name : undefined;
    const isBlob = url.pathname.startsWith('/blob/');
    const operation = isBlob ? blobOperation(request.method, url) : method;
    if (operation) requests.push(operation);
    const fault = operation && takePlanted(planted.get(operation) ?? []);
    if (fault?.status === 'hang') return;
    if (fault?.status === 'reset') return void request.socket.destroy();
    if (isBlob && !fault) return state.blobs.handle(request, response, url);
    const text = (await readBody(request)).toString();
    if (fault) {
      answerJson(response, Number(fault.status), {
        code: fault.code ?? 'internal',
        msg: fault.msg ?? 'planted fault',
      });
    } else if (!method) {
      answerJson(response, 404, { code: 'bad_route', msg: `no handler for path ${url.pathname}` });
    } else {
      const { status, body } = reply(state, method, request.headers.authorization, text);
      answerJson(response, status, body);
    }
  });
  state.origin = server.origin;

  const environmentOf = (run: string, job: string) => {
    const token = unsignedJwt({ scp: `Actions.GenericRead:0 Actions.Results:${run}:${job}`, orchid: run });
    state.issued.set(token, { run, job });
    return {
      ACTIONS_RUNTIME_TOKEN: token,
      ACTIONS_RESULTS_URL: `${server.origin}/`,
      // The client works on github.com, *.ghe.com and *.localhost only.
      GITHUB_SERVER_URL: 'https://github.com',
      // The Azure client sends loopback addresses through a proxy too unless told not to.
      no_proxy: '127.0.0.1',
    };
  };
  const environment = environmentOf(randomUUID(), randomUUID());

  return {
    ...server,
    resultsUrl: environment.ACTIONS_RESULTS_URL,
    runtimeToken: environment.ACTIONS_RUNTIME_TOKEN,
    environment,
    environmentOf,
    artifacts: () => state.entries.flatMap((entry) => stored(state, entry)),
    pending: () => state.entries.filter((entry) => !entry.claim).map((entry) => entry.name),
    mismatches: () => state.mismatches,
    requests: () => requests,
    faults: {
      plant: (operation, fault) =>
        void planted.set(operation, [...(planted.get(operation) ?? []), { ...fault }]),
      refuse: (method) => void state.refused.add(method),
      lie: (about) => {
        state.lie = about;
      },
      dropBlock: state.blobs.dropBlock,
      clear: () => {
        planted.clear();
        state.refused.clear();
        state.lie = {};
      },
    },
  };
}

function reply(state: State, method: Method, authorization: string | undefined, text: string): Reply {
  const caller = state.issued.get(authorization?.replace(/^Bearer /, '') ?? '');
  if (!caller) return failure('unauthenticated', 'invalid token');
  const body = parseObject(text);
  if (!body) return failure('malformed', 'the json request could not be decoded');
  if (body.workflow_run_backend_id !== caller.run || typeof body.workflow_job_run_backend_id !== 'string') {
    return failure('permission_denied', 'the token is of another workflow run');
  }
  return state.refused.has(method) ? success({ ok: false }) : methods[method](state, caller, body);
}

const methods: Readonly<Record<Method, (state: State, caller: Caller, body: JsonObject) => Reply>> = {
  CreateArtifact(state, caller, { name, mime_type: mimeType, expires_at: expires }) {
    if (typeof name !== 'string' || name === '') return failure('malformed', 'name is required');
    // A name is taken from its creation on, finalized or not.
    if (find(state, caller, name)) {
      return failure('already_exists', 'an artifact with this name already exists on the workflow run');
    }
    const entry: Entry = {
      ...caller,
      id: state.nextId++,
      name,
      mimeType: typeof mimeType === 'string' ? mimeType : 'application/zip',
      createdAt: new Date(),
      expiresAt: typeof expires === 'string' ? new Date(expires) : undefined,
      claim: undefined,
    };
    state.entries.push(entry);
    return success({ ok: true, signed_upload_url: state.origin + state.blobs.uploadPath(String(entry.id)) });
  },
  FinalizeArtifact(state, caller, { name, hash, size }) {
    const entry = find(state, caller, name);
    const blob = entry && state.blobs.read(String(entry.id));
    if (!entry || !blob) return failure('not_found', 'artifact not found');
    // Proto3 JSON may leave out a zero.
    entry.claim = { size: Number(size ?? 0), digest: typeof hash === 'string' ? hash : undefined };
    const claimed = { size: entry.claim.size, sha256: entry.claim.digest?.replace(/^sha256:/, '') };
    const received = { size: blob.content.length, sha256: blob.sha256 };
    if (claimed.size !== received.size || claimed.sha256 !== received.sha256) {
      state.mismatches.push({ name: entry.name, claimed, received });
    }
    return success({ ok: true, artifact_id: String(entry.id) });
  },
  ListArtifacts(state, caller, { name_filter: name, id_filter: id }) {
    const listed = state.entries.filter(
      (entry) =>
        entry.run === caller.run &&
        entry.claim &&
        (name === undefined || entry.name === name) &&
        (id === undefined || String(entry.id) === String(id)),
    );
    return success({ artifacts: listed.map((entry) => describe(entry, state.lie)) });
  },
  GetSignedArtifactURL(state, caller, { name: wanted }) {
    const entry = find(state, caller, wanted);
    if (!entry?.claim) return failure('not_found', 'artifact not found');
    const { id, name, mimeType } = entry;
    const fileName = mimeType === 'application/zip' && !name.endsWith('.zip') ? `${name}.zip` : name;
    return success({ signed_url: state.origin + state.blobs.downloadPath(String(id), mimeType, fileName) });
  },
  DeleteArtifact(state, caller, { name }) {
    const entry = find(state, caller, name);
    if (!entry?.claim) return failure('not_found', 'artifact not found');
    state.entries = state.entries.filter((other) => other !== entry);
    state.blobs.remove(String(entry.id));
    return success({ ok: true, artifact_id: String(entry.id) });
  },
};

function find(state: State, caller: Caller, name: unknown): Entry | undefined {
  return state.entries.find((entry) => entry.run === caller.run && entry.name === name);
}

function describe(entry: Entry, lie: State['lie']): Record<string, unknown> {
  // GitHub repeats the digest that the client gave; it does not make one of its own.
  const digest = lie.digest ?? entry.claim?.digest;
  return {
    workflow_run_backend_id: entry.run,
    workflow_job_run_backend_id: entry.job,
    database_id: String(entry.id),
    name: entry.name,
    size: String(lie.size ?? entry.claim?.size ?? 0),
    created_at: entry.createdAt.toISOString(),
    ...(digest !== undefined && { digest }),
  };
}

function stored(state: State, { claim, id, name, mimeType, expiresAt }: Entry): StoredArtifact[] {
  const blob = claim && state.blobs.read(String(id));
  if (!blob) return [];
  const { content, sha256 } = blob;
  return [{ name, id, size: content.length, sha256, content, mimeType, expiresAt }];
}
