import { extensions } from '../core/conference/requirements.ts';
import type { Place } from '../core/effect.ts';

/** What this service can do now, as it says so on the wire, and nothing more (RFC 4579 5.13). */

export const product = 'isfocus';

/** RFC 3261 20.5: methods that are understood, in any place. */
export const allow = 'INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, SUBSCRIBE, NOTIFY, UPDATE, PRACK';

/** RFC 6665 8.2.2. */
export const allowEvents = 'conference, refer';

/** Bodies of an INVITE (RFC 3261 20.1); a list is understood at the factory only. */
export function acceptAt(place: Place): string {
  const everywhere = 'application/sdp, multipart/mixed';
  return place === 'factory' ? `${everywhere}, application/resource-lists+xml` : everywhere;
}

/** RFC 4579 4.2: a group is a conference too, be it in session or not. */
export function isFocusAt(place: Place): boolean {
  return place === 'conference' || place === 'group';
}

/** What the answer to OPTIONS names: at a focus also what its NOTIFYs hold, as in RFC 4579 5.14's example. */
export function acceptToldAt(place: Place): string {
  return isFocusAt(place) ? `${acceptAt(place)}, application/conference-info+xml, message/sipfrag` : acceptAt(place);
}

/** RFC 5366 5: the factory lists recipient-list-invite, a conference URI must not, nor does a group. */
export function supportedAt(place: Place): string {
  return [...(place === 'factory' ? ['recipient-list-invite'] : []), ...extensions].join(', ');
}

/**
 * RFC 4579 5.4: isfocus is a parameter of Contact, outside the angle brackets. The URI is the conference URI itself,
 * the same string everywhere.
 */
export function focusContact(conferenceUri: string): string {
  return `<${conferenceUri}>;isfocus`;
}

/** Contact of an INVITE dialog. RFC 3840 7: a feature tag also says that the focus talks OMA instant messaging. */
export function focusSessionContact(conferenceUri: string): string {
  return `${focusContact(conferenceUri)};+g.oma.sip-im`;
}
