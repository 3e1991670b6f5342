import { aorOf, destinationHost, type SipUri } from '../../wire/sip-uri.ts';
import type { Users } from '../definitions/users.ts';
import { limits } from '../limits.ts';
import type { Settings } from '../settings.ts';
import type { Refused } from './requirements.ts';

/** What tells who has agreed. */
export type Consents = { readonly settings: Pick<Settings, 'consent'>; readonly users: Users };

/** What permission is asked for: an address of record, and with maddr also where else its calls are to go. */
export function permissionUri(target: SipUri): string {
  const host = destinationHost(target);
  return host === target.host ? aorOf(target) : `${aorOf(target)};maddr=${host}`;
}

/**
 * RFC 5363 5.2, RFC 5360: without the permission of each of them nobody is invited. Ours: permission is what the operator
 * has written down of a user. `uris`: each a `permissionUri`.
 */
export function consentRefused(uris: readonly string[], { settings, users }: Consents): Refused | null {
  if (settings.consent === 'off') return null;
  const missing = uris.filter((uri) => users.byUri(uri)?.consents !== true);
  if (missing.length === 0) return null;
  const detail = missing.length === 1 ? 'One of them has not agreed' : `${missing.length} of them have not agreed`;
  return { code: 'consent-missing', detail, headers: { 'Permission-Missing': named(missing) } };
}

/** RFC 5360 5.9.3: the URIs without permission; as many as an answer has room for (ours). */
function named(uris: readonly string[]): string {
  let room = limits.permissionMissingCharactersMax;
  const shown = [...new Set(uris)].map((uri) => `<${uri}>`);
  const fitting = shown.filter((text) => {
    room -= text.length + ', '.length;
    return room >= 0;
  });
  return fitting.join(', ');
}
