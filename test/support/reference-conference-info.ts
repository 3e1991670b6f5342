/** The conference state document (RFC 4575 5) as a tree written by an XML package: what the writer in `wire` is held against. */
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
} from '../../src/wire/conference-info.ts';
import { writeDateTime } from '../../src/wire/date-time.ts';
import { writeXml, type XmlNode } from '../../src/wire/xml.ts';

export function referenceConferenceInfo(document: ConferenceInfoDocument): string {
  const { description, hostInfo, conferenceState, users } = document;
  return writeXml({
    name: 'conference-info',
    attributes: {
      xmlns: 'urn:ietf:params:xml:ns:conference-info',
      entity: document.entity,
      state: document.state,
      version: String(document.version),
    },
    children: childrenUnlessDeleted(document.state, [
      ...each(description, descriptionNode),
      ...each(hostInfo, hostInfoNode),
      ...each(conferenceState, conferenceStateNode),
      ...each(users, (known) => usersNode(known, document.usersState)),
    ]),
  });
}

function descriptionNode(description: ConferenceDescription): XmlNode {
  return element('conference-description', [
    ...each(description.subject, text('subject')),
    ...list('conf-uris', description.confUris.map(uriNode)),
    ...list('service-uris', (description.serviceUris ?? []).map(uriNode)),
    ...each(description.maximumUserCount, text('maximum-user-count')),
    ...list('available-media', (description.availableMedia ?? []).map(availableMediaNode)),
  ]);
}

function hostInfoNode({ displayText, webPage, uris }: HostInfo): XmlNode {
  return element('host-info', [
    ...each(displayText, text('display-text')),
    ...each(webPage, text('web-page')),
    ...list('uris', uris.map(uriNode)),
  ]);
}

function conferenceStateNode(state: ConferenceState): XmlNode {
  return element('conference-state', [
    ...each(state.userCount, text('user-count')),
    ...each(state.active, text('active')),
    ...each(state.locked, text('locked')),
  ]);
}

function usersNode(users: readonly ConferenceInfoUser[], state: ElementState = 'full'): XmlNode {
  return { name: 'users', attributes: { state }, children: childrenUnlessDeleted(state, users.map(userNode)) };
}

function userNode(user: ConferenceInfoUser): XmlNode {
  const { entity, state = 'full', nickname = null } = user;
  const named =
    nickname === null || state === 'deleted'
      ? {}
      : { 'xmlns:xcon': 'urn:ietf:params:xml:ns:xcon-conference-info', 'xcon:nickname': nickname };
  const children = childrenUnlessDeleted(state, [
    ...each(user.displayText, text('display-text')),
    ...list(
      'associated-aors',
      (user.associatedAors ?? []).map((uri) => uriNode({ uri, purpose: null })),
    ),
    ...list('roles', user.roles.map(text('entry'))),
    ...((user.languages ?? []).length === 0 ? [] : [text('languages')((user.languages ?? []).join(' '))]),
    ...user.endpoints.map(endpointNode),
  ]);
  return { name: 'user', attributes: { entity, state, ...named }, children };
}

function endpointNode(endpoint: ConferenceInfoEndpoint): XmlNode {
  const { entity, state = 'full' } = endpoint;
  const children = childrenUnlessDeleted(state, [
    ...each(endpoint.referred, executionNode('referred')),
    ...each(endpoint.status, text('status')),
    ...each(endpoint.joiningMethod, text('joining-method')),
    ...each(endpoint.joiningInfo, executionNode('joining-info')),
    ...each(endpoint.disconnectionMethod, text('disconnection-method')),
    ...each(endpoint.disconnectionInfo, executionNode('disconnection-info')),
    ...endpoint.media.map(mediaNode),
    ...each(endpoint.callInfo, callInfoNode),
  ]);
  return { name: 'endpoint', attributes: { entity, state }, children };
}

function uriNode({ uri, displayText, purpose }: UriEntry): XmlNode {
  return element('entry', [
    text('uri')(uri),
    ...each(displayText, text('display-text')),
    ...each(purpose, text('purpose')),
  ]);
}

function availableMediaNode({ label, type, status }: AvailableMedia): XmlNode {
  return { name: 'entry', attributes: { label }, children: [text('type')(type), ...each(status, text('status'))] };
}

function mediaNode({ id, type, status }: ConferenceInfoMedia): XmlNode {
  return {
    name: 'media',
    attributes: { id },
    children: [...each(type, text('type')), ...each(status, text('status'))],
  };
}

function callInfoNode({ callId, fromTag, toTag }: CallInfo): XmlNode {
  return element('call-info', [
    element('sip', [text('call-id')(callId), text('from-tag')(fromTag), text('to-tag')(toTag)]),
  ]);
}

function executionNode(name: string): (execution: Execution) => XmlNode {
  return ({ when, reason, by }) =>
    element(name, [
      ...each(when, (ms) => text('when')(writeDateTime(ms))),
      ...each(reason, text('reason')),
      ...each(by, text('by')),
    ]);
}

function childrenUnlessDeleted(state: ElementState, children: readonly XmlNode[]): readonly XmlNode[] {
  return state === 'deleted' ? [] : children;
}

function element(name: string, children: readonly XmlNode[]): XmlNode {
  return { name, children };
}

function text(name: string): (value: string | number | boolean) => XmlNode {
  return (value) => ({ name, children: [String(value)] });
}

function list(name: string, entries: readonly XmlNode[]): readonly XmlNode[] {
  return entries.length === 0 ? [] : [element(name, entries)];
}

/** A node of what there is, or none. */
function each<Value>(value: Value | null | undefined, node: (value: Value) => XmlNode): readonly XmlNode[] {
  return value === null || value === undefined ? [] : [node(value)];
}
