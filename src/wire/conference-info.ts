/** Conference state documents (RFC 4575 5), `application/conference-info+xml`: the model and its XML. */

import { strict as assert } from 'node:assert';
import { readConferenceInfo } from './conference-info-reader.ts';
import {
  conferenceInfoNamespace,
  type disconnectionMethods,
  type elementStates,
  type endpointStatuses,
  isUnsignedInt,
  type joiningMethods,
  type mediaStatuses,
  xconNamespace,
} from './conference-info-words.ts';
import { writeDateTime } from './date-time.ts';
import { parseXml } from './xml.ts';
import { attribute, element, textElement } from './xml-text.ts';

/** RFC 4575 4.4: what an element says about what was known before; absent means full. */
export type ElementState = (typeof elementStates)[number];

/** When, why and by whom something was done (execution-type). `when` in milliseconds since the epoch. */
export type Execution = { readonly when: number | null; readonly reason: string | null; readonly by: string | null };

export type ConferenceInfoMedia = {
  readonly id: string;
  /** SDP media name; `message` for MSRP. */
  readonly type: string | null;
  /** From the participant's side. */
  readonly status: (typeof mediaStatuses)[number] | null;
};

export type ConferenceInfoEndpoint = {
  readonly entity: string;
  readonly state?: ElementState;
  readonly referred: Execution | null;
  readonly status: (typeof endpointStatuses)[number] | null;
  readonly joiningMethod: (typeof joiningMethods)[number] | null;
  readonly joiningInfo: Execution | null;
  readonly disconnectionMethod: (typeof disconnectionMethods)[number] | null;
  readonly disconnectionInfo: Execution | null;
  readonly media: readonly ConferenceInfoMedia[];
  /** RFC 4575 5.7.3: the dialog, tags as the focus sees them. */
  readonly callInfo?: CallInfo | null;
};

/** call-info of a SIP dialog (RFC 4575 5.7.3). */
export type CallInfo = { readonly callId: string; readonly fromTag: string; readonly toTag: string };

export type ConferenceInfoUser = {
  readonly entity: string;
  readonly state?: ElementState;
  /** RFC 7701 7.4: an attribute in the namespace of RFC 6501. */
  readonly nickname?: string | null;
  readonly displayText: string | null;
  readonly associatedAors?: readonly string[];
  readonly roles: readonly string[];
  /** Language tags (RFC 4575 5.6.4). */
  readonly languages?: readonly string[];
  readonly endpoints: readonly ConferenceInfoEndpoint[];
};

/** An entry of a list of URIs (uris-type). */
export type UriEntry = { readonly uri: string; readonly displayText?: string | null; readonly purpose: string | null };

/** A medium that the conference offers (RFC 4575 5.3.4). */
export type AvailableMedia = {
  readonly label: string;
  readonly type: string;
  readonly status: (typeof mediaStatuses)[number] | null;
};

export type ConferenceDescription = {
  readonly subject: string | null;
  readonly confUris: readonly UriEntry[];
  readonly serviceUris?: readonly UriEntry[];
  readonly maximumUserCount: number | null;
  readonly availableMedia?: readonly AvailableMedia[];
};

/** Who hosts the conference (RFC 4575 5.4). */
export type HostInfo = {
  readonly displayText: string | null;
  readonly webPage: string | null;
  readonly uris: readonly UriEntry[];
};

export type ConferenceState = {
  readonly userCount: number | null;
  readonly active: boolean | null;
  readonly locked: boolean | null;
};

/** A whole document; null where an element is absent. A full one has a description and users, a deleted one nothing. */
export type ConferenceInfoDocument = {
  /** The conference URI, always spelled the same. */
  readonly entity: string;
  readonly state: ElementState;
  /** RFC 4575 5.2: an unsigned 32-bit number that counts within one subscription. */
  readonly version: number;
  readonly description: ConferenceDescription | null;
  readonly hostInfo?: HostInfo | null;
  readonly conferenceState: ConferenceState | null;
  readonly users: readonly ConferenceInfoUser[] | null;
  readonly usersState?: ElementState;
};

const readLimits = { bytes: 1_048_576, elements: 50_000, depth: 32 };

/** Reads a document. Elements that the model lacks are passed over. Throws RemoteError 400 (413, 415 by the XML). */
export function parseConferenceInfo(text: string): ConferenceInfoDocument {
  return readConferenceInfo(parseXml(text, readLimits));
}

/**
 * The XML of a document, elements in the order of the schema. Text may hold any characters; what XML forbids becomes
 * U+FFFD. The children of a deleted element are left out.
 */
export function writeConferenceInfo(document: ConferenceInfoDocument): string {
  const { state, version, description, hostInfo = null, conferenceState, users } = document;
  assert(isUnsignedInt(version), 'a version is an unsigned 32-bit number');
  // RFC 4575 5.2: a full document MUST contain at least conference-description and users.
  assert(state !== 'full' || (description !== null && users !== null), 'a full document is full');
  const opening = openingOf(document) + version;
  const children =
    (description === null ? '' : writeDescription(description)) +
    (hostInfo === null ? '' : writeHostInfo(hostInfo)) +
    (conferenceState === null ? '' : writeConferenceState(conferenceState)) +
    (users === null ? '' : writeUsers(document.usersState ?? 'full', users.map(writeUser)));
  return state === 'deleted' || children === '' ? `${opening}"/>` : `${opening}">${children}${closing}`;
}

/**
 * What stands around the digits of the version and around the root's children, of which there is at least one, for
 * whoever puts a document together of what the functions below have written.
 */
export function conferenceInfoParts(document: { readonly entity: string; readonly state: 'full' | 'partial' }): {
  readonly beforeVersion: string;
  readonly afterVersion: string;
  readonly tail: string;
} {
  return { beforeVersion: openingOf(document), afterVersion: '">', tail: closing };
}

const closing = '</conference-info>';

/** The document up to the digits of its version. */
function openingOf({ entity, state }: Pick<ConferenceInfoDocument, 'entity' | 'state'>): string {
  const attributes = attribute('xmlns', conferenceInfoNamespace) + attribute('entity', entity) + stateAttribute(state);
  return `<?xml version="1.0" encoding="UTF-8"?><conference-info${attributes} version="`;
}

/** The element conference-description (RFC 4575 5.3). */
export function writeDescription(description: ConferenceDescription): string {
  const { subject, confUris, serviceUris = [], maximumUserCount, availableMedia = [] } = description;
  return element(
    'conference-description',
    textElement('subject', subject) +
      list('conf-uris', confUris.map(uriEntry)) +
      list('service-uris', serviceUris.map(uriEntry)) +
      valueElement('maximum-user-count', maximumUserCount) +
      list('available-media', availableMedia.map(availableMedium)),
  );
}

/** The element host-info (RFC 4575 5.4). */
export function writeHostInfo({ displayText, webPage, uris }: HostInfo): string {
  return element(
    'host-info',
    textElement('display-text', displayText) + textElement('web-page', webPage) + list('uris', uris.map(uriEntry)),
  );
}

/** The element conference-state (RFC 4575 5.5); a partial document repeats every child that is to stay. */
export function writeConferenceState({ userCount, active, locked }: ConferenceState): string {
  return element(
    'conference-state',
    valueElement('user-count', userCount) + valueElement('active', active) + valueElement('locked', locked),
  );
}

/** The element users (RFC 4575 5.6) around users that `writeUser` has written. */
export function writeUsers(state: ElementState, users: readonly string[]): string {
  // RFC 4575 4.4: an absent state would be full; under a partial root that would replace the whole roster.
  return element('users', state === 'deleted' ? '' : users.join(''), stateAttribute(state));
}

/** A user (RFC 4575 5.6) with its endpoints. */
export function writeUser(user: ConferenceInfoUser): string {
  const { entity, state = 'full', nickname = null, associatedAors = [], languages = [] } = user;
  const attributes = attribute('entity', entity) + stateAttribute(state);
  // RFC 4575 4.4: deleted elements have no children; nor do we say by what name someone went who is gone.
  if (state === 'deleted') return element('user', '', attributes);
  return element(
    'user',
    textElement('display-text', user.displayText) +
      list('associated-aors', associatedAors.map(addressEntry)) +
      list('roles', user.roles.map(roleEntry)) +
      textElement('languages', languages.length === 0 ? null : languages.join(' ')) +
      user.endpoints.map(writeEndpoint).join(''),
    attributes + (nickname === null ? '' : nicknameAttributes(nickname)),
  );
}

/** An endpoint (RFC 4575 5.7); a partial one has the atoms that are not null. */
export function writeEndpoint(endpoint: ConferenceInfoEndpoint): string {
  const { entity, state = 'full', callInfo = null } = endpoint;
  const attributes = attribute('entity', entity) + stateAttribute(state);
  if (state === 'deleted') return element('endpoint', '', attributes);
  return element(
    'endpoint',
    executionElement('referred', endpoint.referred) +
      valueElement('status', endpoint.status) +
      valueElement('joining-method', endpoint.joiningMethod) +
      executionElement('joining-info', endpoint.joiningInfo) +
      valueElement('disconnection-method', endpoint.disconnectionMethod) +
      executionElement('disconnection-info', endpoint.disconnectionInfo) +
      endpoint.media.map(mediaElement).join('') +
      (callInfo === null ? '' : callInfoElement(callInfo)),
    attributes,
  );
}

function uriEntry({ uri, displayText = null, purpose }: UriEntry): string {
  return element(
    'entry',
    textElement('uri', uri) + textElement('display-text', displayText) + textElement('purpose', purpose),
  );
}

function addressEntry(uri: string): string {
  return element('entry', textElement('uri', uri));
}

function roleEntry(role: string): string {
  return textElement('entry', role);
}

function availableMedium({ label, type, status }: AvailableMedia): string {
  return element('entry', textElement('type', type) + valueElement('status', status), attribute('label', label));
}

function mediaElement({ id, type, status }: ConferenceInfoMedia): string {
  return element('media', textElement('type', type) + valueElement('status', status), attribute('id', id));
}

function executionElement(name: string, execution: Execution | null): string {
  if (execution === null) return '';
  const { when, reason, by } = execution;
  return element(
    name,
    valueElement('when', when === null ? null : writeDateTime(when)) +
      textElement('reason', reason) +
      textElement('by', by),
  );
}

function callInfoElement({ callId, fromTag, toTag }: CallInfo): string {
  const dialog = textElement('call-id', callId) + textElement('from-tag', fromTag) + textElement('to-tag', toTag);
  return element('call-info', element('sip', dialog));
}

/** RFC 7701 7.4: the prefix is declared where it is used, for fragments to stand in any document. */
function nicknameAttributes(nickname: string): string {
  return attribute('xmlns:xcon', xconNamespace) + attribute('xcon:nickname', nickname);
}

/** The schema has no lists without entries. */
function list(name: string, entries: readonly string[]): string {
  return entries.length === 0 ? '' : element(name, entries.join(''));
}

/** An element around what needs no escaping: a number, a boolean, a time, a word of the schema; nothing for null. */
function valueElement(name: string, value: string | number | boolean | null): string {
  return value === null ? '' : `<${name}>${value}</${name}>`;
}

function stateAttribute(state: ElementState): string {
  return ` state="${state}"`;
}
