/** A conference state document (RFC 4575 5) as read from its XML. */

import type {
  AvailableMedia,
  CallInfo,
  ConferenceDescription,
  ConferenceInfoDocument,
  ConferenceInfoEndpoint,
  ConferenceInfoMedia,
  ConferenceInfoUser,
  ConferenceState,
  ElementState,
  Execution,
  HostInfo,
  UriEntry,
} from './conference-info.ts';
import {
  conferenceInfoNamespace,
  disconnectionMethods,
  elementStates,
  endpointStatuses,
  isUnsignedInt,
  joiningMethods,
  mediaStatuses,
  xconNamespace,
} from './conference-info-words.ts';
import { readDateTime } from './date-time.ts';
import { RemoteError } from './remote-error.ts';
import { attributeOf, childElements, textOf, type XmlElement } from './xml.ts';

/** The document whose root this is. Elements that the model lacks are passed over. Throws RemoteError 400. */
export function readConferenceInfo(root: XmlElement): ConferenceInfoDocument {
  if (root.name !== 'conference-info' || root.namespace !== conferenceInfoNamespace) {
    throw new RemoteError(400, 'The document is not a conference-info document');
  }
  const users = child(root, 'users');
  return {
    entity: requiredAttribute(root, 'entity'),
    state: readState(root),
    version: unsignedInt(requiredAttribute(root, 'version')),
    description: optional(child(root, 'conference-description'), readDescription),
    hostInfo: optional(child(root, 'host-info'), readHostInfo),
    conferenceState: optional(child(root, 'conference-state'), readConferenceState),
    users: users === null ? null : childElements(users, 'user').map(readUser),
    usersState: users === null ? 'full' : readState(users),
  };
}

function readDescription(description: XmlElement): ConferenceDescription {
  return {
    subject: textIn(description, 'subject'),
    confUris: entriesIn(description, 'conf-uris').map(readUriEntry),
    serviceUris: entriesIn(description, 'service-uris').map(readUriEntry),
    maximumUserCount: optional(textIn(description, 'maximum-user-count'), unsignedInt),
    availableMedia: entriesIn(description, 'available-media').map(readAvailableMedia),
  };
}

function readUriEntry(entry: XmlElement): UriEntry {
  return {
    uri: requiredText(entry, 'uri'),
    displayText: textIn(entry, 'display-text'),
    purpose: textIn(entry, 'purpose'),
  };
}

function readAvailableMedia(entry: XmlElement): AvailableMedia {
  return {
    label: requiredAttribute(entry, 'label'),
    type: requiredText(entry, 'type'),
    status: oneOf(mediaStatuses, textIn(entry, 'status')),
  };
}

function readHostInfo(host: XmlElement): HostInfo {
  return {
    displayText: textIn(host, 'display-text'),
    webPage: textIn(host, 'web-page'),
    uris: entriesIn(host, 'uris').map(readUriEntry),
  };
}

function readConferenceState(state: XmlElement): ConferenceState {
  return {
    userCount: optional(textIn(state, 'user-count'), unsignedInt),
    active: readBoolean(textIn(state, 'active')),
    locked: readBoolean(textIn(state, 'locked')),
  };
}

function readUser(user: XmlElement): ConferenceInfoUser {
  return {
    entity: requiredAttribute(user, 'entity'),
    state: readState(user),
    nickname: attributeOf(user, 'nickname', xconNamespace) ?? null,
    displayText: textIn(user, 'display-text'),
    associatedAors: entriesIn(user, 'associated-aors').map((entry) => requiredText(entry, 'uri')),
    roles: entriesIn(user, 'roles').map(textOf),
    languages: (textIn(user, 'languages') ?? '').split(/\s+/).filter((tag) => tag !== ''),
    endpoints: childElements(user, 'endpoint').map(readEndpoint),
  };
}

function readEndpoint(endpoint: XmlElement): ConferenceInfoEndpoint {
  return {
    entity: requiredAttribute(endpoint, 'entity'),
    state: readState(endpoint),
    referred: optional(child(endpoint, 'referred'), readExecution),
    status: oneOf(endpointStatuses, textIn(endpoint, 'status')),
    joiningMethod: oneOf(joiningMethods, textIn(endpoint, 'joining-method')),
    joiningInfo: optional(child(endpoint, 'joining-info'), readExecution),
    disconnectionMethod: oneOf(disconnectionMethods, textIn(endpoint, 'disconnection-method')),
    disconnectionInfo: optional(child(endpoint, 'disconnection-info'), readExecution),
    media: childElements(endpoint, 'media').map(readMedia),
    callInfo: optional(child(endpoint, 'call-info'), readCallInfo),
  };
}

function readMedia(media: XmlElement): ConferenceInfoMedia {
  return {
    id: requiredAttribute(media, 'id'),
    type: textIn(media, 'type'),
    status: oneOf(mediaStatuses, textIn(media, 'status')),
  };
}

function readExecution(execution: XmlElement): Execution {
  const text = textIn(execution, 'when');
  const when = text === null ? null : readDateTime(text);
  if (text !== null && when === null) throw new RemoteError(400, 'A time of the conference-info document is malformed');
  return { when, reason: textIn(execution, 'reason'), by: textIn(execution, 'by') };
}

/** Null for a call of another protocol than SIP. */
function readCallInfo(callInfo: XmlElement): CallInfo | null {
  const dialog = child(callInfo, 'sip');
  if (dialog === null) return null;
  return {
    callId: requiredText(dialog, 'call-id'),
    fromTag: requiredText(dialog, 'from-tag'),
    toTag: requiredText(dialog, 'to-tag'),
  };
}

function readState(element: XmlElement): ElementState {
  return oneOf(elementStates, attributeOf(element, 'state') ?? 'full') ?? 'full';
}

function optional<Found, Value>(found: Found | null, read: (found: Found) => Value): Value | null {
  return found === null ? null : read(found);
}

function child(parent: XmlElement, name: string): XmlElement | null {
  return childElements(parent, name)[0] ?? null;
}

function entriesIn(parent: XmlElement, name: string): readonly XmlElement[] {
  const list = child(parent, name);
  return list === null ? [] : childElements(list, 'entry');
}

function textIn(parent: XmlElement, name: string): string | null {
  return optional(child(parent, name), textOf);
}

function requiredText(parent: XmlElement, name: string): string {
  return textIn(parent, name) ?? missing(name);
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
