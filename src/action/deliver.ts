/** Sends the record to `report-url`. A record that cannot be delivered never fails a run: it is an artifact too. */
import { readFile } from 'node:fs/promises';
import * as core from '@actions/core';
import { messageOf } from '../errors.ts';

/** Whether the record arrived, and the sentence for the communication log. */
export interface Delivery {
  delivered: boolean;
  what: string;
}

/** Posts the record's bytes, signed for by GitHub's OIDC token where the job may have one. Takes seconds at most. */
export async function deliverRecord(url: string, file: string): Promise<Delivery> {
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    'user-agent': 'postgres-upgrade-action',
  };
  try {
    if (process.env.ACTIONS_ID_TOKEN_REQUEST_URL)
      headers.authorization = `Bearer ${await core.getIDToken(new URL(url).origin)}`;
    const response = await fetch(url, {
      method: 'POST',
      headers,
      body: await readFile(file),
      signal: AbortSignal.timeout(10_000),
      redirect: 'error',
    });
    await response.body?.cancel();
    return response.ok
      ? { delivered: true, what: 'The record was delivered.' }
      : { delivered: false, what: `The record was not accepted: HTTP ${response.status}.` };
  } catch (cause) {
    return { delivered: false, what: `The record could not be delivered: ${messageOf(cause)}.` };
  }
}
