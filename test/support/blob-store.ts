/** The part of Azure Blob Storage that artifacts travel through: blocks, block list, plain download. */
import { createHash, createHmac, randomBytes, randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { type Handler, readBody } from './receiver.ts';

export interface Blob {
  content: Buffer;
  /** Hex, computed here over the bytes that arrived. */
  sha256: string;
  contentType: string;
}

export type BlobOperation = 'PutBlock' | 'PutBlockList' | 'GetBlob';

export interface BlobStore {
  handle: Handler;
  /** A path with a signature, an hour's life and leave to write. */
  uploadPath(key: string): string;
  /** Leave to read; the blob is served with this type and this file name, as `rsct` and `rscd` ask. */
  downloadPath(key: string, contentType: string, fileName: string): string;
  read(key: string): Blob | undefined;
  remove(key: string): void;
  /** Loses the block with this number (from 0, in the order of the list) at the next commit, and says 201. */
  dropBlock(number: number): void;
}

/** What a request to the store asks for, or undefined when the client never sends such. */
export function blobOperation(method: string | undefined, url: URL): BlobOperation | undefined {
  if (method === 'GET') return 'GetBlob';
  const comp = url.searchParams.get('comp');
  if (method !== 'PUT') return undefined;
  return comp === 'block' ? 'PutBlock' : comp === 'blocklist' ? 'PutBlockList' : undefined;
}

/** Addresses are `/blob/<key>`; a changed, expired or wrong-way signature gets 403, as from Azure. */
export function createBlobStore(): BlobStore {
  const account = randomBytes(32);
  const blocks = new Map<string, Map<string, Buffer>>();
  const blobs = new Map<string, Blob>();
  const dropped: number[] = [];

  const sign = (path: string, query: URLSearchParams): string => {
    const signed = ['sp', 'se', 'rscd', 'rsct'].map((name) => query.get(name) ?? '');
    return createHmac('sha256', account)
      .update([path, ...signed].join('\n'))
      .digest('base64');
  };
  const signedPath = (key: string, permissions: string, overrides: Record<string, string> = {}): string => {
    const path = `/blob/${encodeURIComponent(key)}`;
    const se = new Date(Date.now() + 3_600_000).toISOString();
    const query = new URLSearchParams({ sv: '2026-02-06', sr: 'b', sp: permissions, se, ...overrides });
    query.set('sig', sign(path, query));
    return `${path}?${query}`;
  };
  const allowed = (url: URL, permission: string): boolean =>
    url.searchParams.get('sig') === sign(url.pathname, url.searchParams) &&
    Date.parse(url.searchParams.get('se') ?? '') > Date.now() &&
    (url.searchParams.get('sp') ?? '').includes(permission);

  const commit = (key: string, list: string, contentType: string): boolean => {
    const staged = blocks.get(key) ?? new Map<string, Buffer>();
    const found = [...list.matchAll(/<(?:Latest|Uncommitted)>([^<]*)</g)].map(([, id = '']) =>
      staged.get(id),
    );
    const parts = found.filter((part) => part !== undefined);
    if (parts.length < found.length) return false;
    const lost = dropped.splice(0);
    const content = Buffer.concat(parts.filter((_, index) => !lost.includes(index)));
    blobs.set(key, { content, sha256: createHash('sha256').update(content).digest('hex'), contentType });
    blocks.delete(key);
    return true;
  };

  return {
    uploadPath: (key) => signedPath(key, 'cw'),
    downloadPath: (key, rsct, fileName) => {
      const rscd = `attachment; filename="${fileName}"; filename*=UTF-8''${encodeURIComponent(fileName)}`;
      return signedPath(key, 'r', { rscd, rsct });
    },
    read: (key) => blobs.get(key),
    remove: (key) => void blobs.delete(key),
    dropBlock: (number) => void dropped.push(number),
    async handle(request, response, url) {
      const body = await readBody(request);
      const key = decodeURIComponent(url.pathname.slice('/blob/'.length));
      const operation = blobOperation(request.method, url);
      if (!operation) return refuse(response, 400, 'UnsupportedHeader');
      if (!allowed(url, operation === 'GetBlob' ? 'r' : 'w'))
        return refuse(response, 403, 'AuthenticationFailed');
      switch (operation) {
        case 'PutBlock': {
          const staged = blocks.get(key) ?? new Map<string, Buffer>();
          blocks.set(key, staged.set(url.searchParams.get('blockid') ?? '', body));
          return created(response);
        }
        case 'PutBlockList': {
          const type = request.headers['x-ms-blob-content-type'];
          const contentType = typeof type === 'string' ? type : 'application/octet-stream';
          return commit(key, body.toString(), contentType)
            ? created(response)
            : refuse(response, 400, 'InvalidBlockList');
        }
        case 'GetBlob': {
          const blob = blobs.get(key);
          if (!blob) return refuse(response, 404, 'BlobNotFound');
          const disposition = url.searchParams.get('rscd');
          response.writeHead(200, {
            'content-type': url.searchParams.get('rsct') ?? blob.contentType,
            'content-length': blob.content.length,
            ...(disposition && { 'content-disposition': disposition }),
          });
          response.end(blob.content);
        }
      }
    },
  };
}

function created(response: ServerResponse): void {
  const headers = {
    etag: `"${randomUUID()}"`,
    'last-modified': new Date().toUTCString(),
    'x-ms-version': '2026-02-06',
  };
  response.writeHead(201, { ...headers, 'x-ms-request-id': randomUUID() }).end();
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'content-type': 'application/xml', 'x-ms-error-code': code });
  response.end(
    `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`,
  );
}
