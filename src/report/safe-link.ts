/** Addresses that a report may link to: a page of PostgreSQL's own, in characters that mean nothing to a renderer. */

const NOTES = /^https:\/\/www\.postgresql\.org\/[A-Za-z0-9/._-]*(?:#[A-Za-z0-9._-]*)?$/;

/** The address if it may be a link, else null: it is shown as text then. */
export function safeLink(address: string): string | null {
  return NOTES.test(address) && address.length <= 200 ? address : null;
}
