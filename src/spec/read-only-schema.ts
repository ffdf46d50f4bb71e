/** The section `read-only` of the spec: writes are refused for a while, instead of stopping applications. */
import { z } from 'zod';
import { holdsLogin, secretName, whole } from './parts.ts';

/** https, or http to the machine itself: anywhere else a token would travel in clear. */
function isPrivate(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}

const call = z.strictObject({
  method: z.enum(['POST', 'PUT', 'PATCH', 'DELETE']).default('POST'),
  url: z
    .url({ protocol: /^https?$/, error: 'write a URL that begins with http:// or https://' })
    .refine((url) => !holdsLogin(url), { error: 'write no user or password here: pass a `token`' }),
  body: z.json().optional().meta({ description: 'Sent as JSON' }),
});

/** One HTTP request of the hook. */
export type HookCall = z.infer<typeof call>;

/** The section `read-only`. */
export const readOnlySchema = z
  .strictObject({
    databases: z
      .array(z.string().min(1))
      .default([])
      .meta({ description: 'Databases that get default_transaction_read_only' }),
    roles: z
      .array(z.string().min(1))
      .default([])
      .meta({ description: 'Roles that get default_transaction_read_only' }),
    hook: z
      .strictObject({
        enter: call.meta({ description: 'Writes are refused from now on' }),
        leave: call.meta({ description: 'Writes are accepted again' }),
        token: secretName.optional().meta({ description: 'Sent as bearer token' }),
        timeout: whole(1, 600).default(30).meta({ description: 'Seconds for one request' }),
      })
      .refine(
        ({ enter, leave, token }) => token === undefined || (isPrivate(enter.url) && isPrivate(leave.url)),
        { error: 'write https addresses: the token would travel in clear' },
      )
      .optional()
      .meta({ description: 'The application switches itself: a request before, and one after' }),
    verify: secretName.optional().meta({
      description:
        'Connection as the application makes it, by which a write must be refused; needed for `roles` and for a hook alone',
    }),
  })
  .refine(({ databases, roles, hook }) => databases.length + roles.length > 0 || hook !== undefined, {
    error: 'name databases, roles or a hook',
  })
  .refine(
    ({ databases, roles, hook, verify }) =>
      verify !== undefined || (roles.length === 0 && (databases.length > 0 || hook === undefined)),
    { error: 'write `verify`: the connection of the application, by which a write must be refused' },
  );

/** The application's own switch. */
export type HookSpec = NonNullable<z.infer<typeof readOnlySchema>['hook']>;

/** How writes are refused. */
export type ReadOnlySpec = z.infer<typeof readOnlySchema>;
