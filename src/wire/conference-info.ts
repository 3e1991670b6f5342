/** Conference state documents (RFC 4575 5), `application/conference-info+xml`: the model and its XML. */

import { strict as assert } from 'node:assert';
import { readDateTime, writeDateTime } from './date-time.ts';
import { RemoteError } from './remote-error.ts';
import { attributeOf, childElements, parseXml, textOf, writeXml, type XmlElement, type XmlNode } from './xml.ts';

/** RFC 4575 4.4: what an element says about what was known before; absent means full. */
export type ElementState = 'full' | 'partial' | 'deleted';

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

const namespace = 'urn:ietf:params:xml:ns:conference-info';
const readLimits = { bytes: 1_048_576, elements: 50_000, depth: 32 };

const elementStates = ['full', 'partial', 'deleted'] as const;
const mediaStatuses = ['sendrecv', 'sendonly', 'recvonly', 'inactive'] as const;
const endpointStatuses = [
  'pending',
  'dialing-out',
  'dialing-in',
  'alerting',
  'on-hold',
  'connected',
  'muted-via-focus',
  'disconnecting',
  'disconnected',
] as const;
const joiningMethods = ['dialed-in', 'dialed-out', 'focus-owner'] as const;
const disconnectionMethods = ['departed', 'booted', 'failed', 'busy'] as const;

/**
 * The XML of a document, elements in the order of the schema. Text may hold any characters; what XML forbids becomes
 * U+FFFD. The children of a deleted element are left out.
 */
export function writeConferenceInfo(document: ConferenceInfoDocument): string {
  assert(isUnsignedInt(document.version), 'a version is an unsigned 32-bit number');
  // RFC 4575 5.2: a full document MUST contain at least conference-description and users.
  assert(
    document.state !== 'full' || (document.description !== null && document.users !== null),
    'a full document is full',
  );
  const { description, conferenceState, users } = document;
  return writeXml({
    name: 'conference-info',
    attributes: {
      xmlns: namespace,
      entity: document.entity,
      state: document.state,
      version: String(document.version),
    },
    children: childrenUnlessDeleted(document.state, [
      ...(description === null ? [] : [descriptionNode(description)]),
      ...(conferenceState === null ? [] : [conferenceStateNode(conferenceState)]),
      ...(users === null ? [] : [usersNode(users, document.usersState)]),
    ]),
  });
}

/** Reads a document. Elements that the model lacks are passed over. Throws RemoteError 400 (413, 415 by the XML). */
export function parseConferenceInfo(text: string): ConferenceInfoDocument {
  const root = parseXml(text, readLimits);
  if (root.name !== 'conference-info' || root.namespace !== namespace) {
    throw new RemoteError(400, 'The document is not a conference-info document');
  }
  const description = child(root, 'conference-description');
  const conferenceState = child(root, 'conference-state');
  const users = child(root, 'users');
  return {
    entity: requiredAttribute(root, 'entity'),
    state: readState(root),
    version: unsignedInt(requiredAttribute(root, 'version')),
    description: description === null ? null : readDescription(description),
    conferenceState: conferenceState === null ? null : readConferenceState(conferenceState),
    users: users === null ? null : childElements(users, 'user').map(readUser),
    usersState: users === null ? 'full' : readState(users),
  };
}

function descriptionNode(description: ConferenceDescription): XmlNode {
  const uris = description.confUris.map(({ uri, purpose }) =>
    element('entry', [...optional('uri', uri), ...optional('purpose', purpose)]),
  );
  return element('conference-description', [
    ...optional('subject', description.subject),
    ...(uris.length === 0 ? [] : [element('conf-uris', uris)]),
    ...optional('maximum-user-count', description.maximumUserCount),
  ]);
}

function conferenceStateNode(state: ConferenceState): XmlNode {
  return element('conference-state', [
    ...optional('user-count', state.userCount),
    ...optional('active', state.active),
    ...optional('locked', state.locked),
  ]);
}

function usersNode(users: readonly ConferenceInfoUser[], state: ElementState = 'full'): XmlNode {
  const children = childrenUnlessDeleted(state, users.map(userNode));
  // RFC 4575 4.4: an absent state would be full; under a partial root that would replace the whole roster.
  return { name: 'users', attributes: { state }, children };
}

function userNode(user: ConferenceInfoUser): XmlNode {
  const state = user.state ?? 'full';
  const roles = user.roles.flatMap((role) => optional('entry', role));
  const children = childrenUnlessDeleted(state, [
    ...optional('display-text', user.displayText),
    ...(roles.length === 0 ? [] : [element('roles', roles)]),
    ...user.endpoints.map(endpointNode),
  ]);
  return { name: 'user', attributes: { entity: user.entity, state }, children };
}

function endpointNode(endpoint: ConferenceInfoEndpoint): XmlNode {
  const state = endpoint.state ?? 'full';
  const children = childrenUnlessDeleted(state, [
    ...executionNodes('referred', endpoint.referred),
    ...optional('status', endpoint.status),
    ...optional('joining-method', endpoint.joiningMethod),
    ...executionNodes('joining-info', endpoint.joiningInfo),
    ...optional('disconnection-method', endpoint.disconnectionMethod),
    ...executionNodes('disconnection-info', endpoint.disconnectionInfo),
    ...endpoint.media.map(mediaNode),
  ]);
  return { name: 'endpoint', attributes: { entity: endpoint.entity, state }, children };
}

function mediaNode(media: ConferenceInfoMedia): XmlNode {
  const children = [...optional('type', media.type), ...optional('status', media.status)];
  return { name: 'media', attributes: { id: media.id }, children };
}

function executionNodes(name: string, execution: Execution | null): readonly XmlNode[] {
  if (execution === null) return [];
  const when = execution.when === null ? null : writeDateTime(execution.when);
  return [
    element(name, [
      ...optional('when', when),
      ...optional('reason', execution.reason),
      ...optional('by', execution.by),
    ]),
  ];
}

/** RFC 4575 4.4: deleted elements have no children. */
function childrenUnlessDeleted(state: ElementState, children: readonly XmlNode[]): readonly XmlNode[] {
  return state === 'deleted' ? [] : children;
}

function element(name: string, children: readonly XmlNode[]): XmlNode {
  return { name, children };
}

function optional(name: string, value: string | number | boolean | null): readonly XmlNode[] {
  return value === null ? [] : [{ name, children: [String(value)] }];
}

function readDescription(description: XmlElement): ConferenceDescription {
  const uris = child(description, 'conf-uris');
  const maximum = textIn(description, 'maximum-user-count');
  return {
    subject: textIn(description, 'subject'),
    confUris: (uris === null ? [] : childElements(uris, 'entry')).map((entry) => ({
      uri: textIn(entry, 'uri') ?? missing('uri'),
      purpose: textIn(entry, 'purpose'),
    })),
    maximumUserCount: maximum === null ? null : unsignedInt(maximum),
  };
}

function readConferenceState(state: XmlElement): ConferenceState {
  const count = textIn(state, 'user-count');
  return {
    userCount: count === null ? null : unsignedInt(count),
    active: readBoolean(textIn(state, 'active')),
    locked: readBoolean(textIn(state, 'locked')),
  };
}

function readUser(user: XmlElement): ConferenceInfoUser {
  const roles = child(user, 'roles');
  return {
    entity: requiredAttribute(user, 'entity'),
    state: readState(user),
    displayText: textIn(user, 'display-text'),
    roles: roles === null ? [] : childElements(roles, 'entry').map(textOf),
    endpoints: childElements(user, 'endpoint').map(readEndpoint),
  };
}

function readEndpoint(endpoint: XmlElement): ConferenceInfoEndpoint {
  return {
    entity: requiredAttribute(endpoint, 'entity'),
    state: readState(endpoint),
    referred: readExecution(child(endpoint, 'referred')),
    status: oneOf(endpointStatuses, textIn(endpoint, 'status')),
    joiningMethod: oneOf(joiningMethods, textIn(endpoint, 'joining-method')),
    joiningInfo: readExecution(child(endpoint, 'joining-info')),
    disconnectionMethod: oneOf(disconnectionMethods, textIn(endpoint, 'disconnection-method')),
    disconnectionInfo: readExecution(child(endpoint, 'disconnection-info')),
    media: childElements(endpoint, 'media').map((media) => ({
      id: requiredAttribute(media, 'id'),
      type: textIn(media, 'type'),
      status: oneOf(mediaStatuses, textIn(media, 'status')),
    })),
  };
}

function readExecution(execution: XmlElement | null): Execution | null {
  if (execution === null) return null;
  const text = textIn(execution, 'when');
  const when = text === null ? null : readDateTime(text);
  if (text !== null && when === null) throw new RemoteError(400, 'A time of the conference-info document is malformed');
  return { when, reason: textIn(execution, 'reason'), by: textIn(execution, 'by') };
}

function readState(element: XmlElement): ElementState {
  return oneOf(elementStates, attributeOf(element, 'state') ?? 'full') ?? 'full';
}

function child(parent: XmlElement, name: string): XmlElement | null {
  return childElements(parent, name)[0] ?? null;
}

function textIn(parent: XmlElement, name: string): string | null {
  const found = child(parent, name);
  return found === null ? null : textOf(found);
}

function requiredAttribute(element: XmlElement, name: string): string {
  return attributeOf(element, name) ?? missing(name);
}

function missing(name: string): never {
  throw new RemoteError(400, `The conference-info document lacks ${name}`);
}

function oneOf<Word extends string>(words: readonly Word[], text: string | null): Word | null {
  if (text === null) return null;
  const word = words.find((each) => each === text.trim());
  if (word === undefined) throw new RemoteError(400, 'A word of the conference-info document is unknown');
  return word;
}

function readBoolean(text: string | null): boolean | null {
  const word = oneOf(['true', '1', 'false', '0'], text);
  return word === null ? null : word === 'true' || word === '1';
}

function unsignedInt(text: string): number {
  const value = /^\s*\d{1,10}\s*$/.test(text) ? Number(text) : -1;
  if (!isUnsignedInt(value)) throw new RemoteError(400, 'A number of the conference-info document is malformed');
  return value;
}

function isUnsignedInt(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < 2 ** 32;
}
