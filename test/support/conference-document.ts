/** What a watcher reads in a conference-info document, with a reader that is not the service's own. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { XmlDocument, type XmlElement, XsdValidator } from 'libxml2-wasm';
import { xmlRegisterFsInputProviders } from 'libxml2-wasm/lib/nodejs.mjs';

const namespaces = { ci: 'urn:ietf:params:xml:ns:conference-info' };

export type SeenEndpoint = {
  readonly entity: string;
  readonly status: string;
  readonly joiningMethod: string;
  readonly disconnectionMethod: string;
  /** Text of disconnection-info/reason. */
  readonly disconnectionReason: string;
  readonly referredBy: string;
  readonly media: readonly { readonly type: string; readonly status: string }[];
};

export type SeenUser = {
  readonly entity: string;
  readonly displayText: string;
  readonly endpoints: readonly SeenEndpoint[];
};

export type SeenRoster = {
  readonly entity: string;
  readonly state: string;
  readonly version: number;
  readonly subject: string;
  readonly userCount: number;
  /** Text of conference-state/locked. */
  readonly locked: string;
  readonly users: readonly SeenUser[];
};

/** Reads a conference-info document; throws when it is not well-formed. */
export function readRoster(xml: string): SeenRoster {
  const document = XmlDocument.fromString(xml);
  try {
    const { root } = document;
    return {
      entity: attribute(root, 'entity'),
      state: attribute(root, 'state') || 'full',
      version: Number(attribute(root, 'version')),
      subject: text(root, 'ci:conference-description/ci:subject'),
      userCount: Number(text(root, 'ci:conference-state/ci:user-count')),
      locked: text(root, 'ci:conference-state/ci:locked'),
      users: elements(root, 'ci:users/ci:user').map(readUser),
    };
  } finally {
    document.dispose();
  }
}

/** `alice connected, bob alerting`: user parts of the entities with their endpoints' statuses. */
export function rosterLine(roster: SeenRoster): string {
  return roster.users
    .map(
      ({ entity, endpoints }) => `${userPart(entity)} ${endpoints.map(({ status }) => status).join('+') || 'nowhere'}`,
    )
    .join(', ');
}

/** Throws, saying where, when `xml` does not fit the schema in the file `schema`. */
export function validateAgainst(schema: URL, xml: string): void {
  xmlRegisterFsInputProviders();
  using xsd = XmlDocument.fromBuffer(readFileSync(schema), { url: fileURLToPath(schema) });
  using validator = XsdValidator.fromDoc(xsd);
  using document = XmlDocument.fromString(xml);
  validator.validate(document);
}

function readUser(user: XmlElement): SeenUser {
  return {
    entity: attribute(user, 'entity'),
    displayText: text(user, 'ci:display-text'),
    endpoints: elements(user, 'ci:endpoint').map(readEndpoint),
  };
}

function readEndpoint(endpoint: XmlElement): SeenEndpoint {
  return {
    entity: attribute(endpoint, 'entity'),
    status: text(endpoint, 'ci:status'),
    joiningMethod: text(endpoint, 'ci:joining-method'),
    disconnectionMethod: text(endpoint, 'ci:disconnection-method'),
    disconnectionReason: text(endpoint, 'ci:disconnection-info/ci:reason'),
    referredBy: text(endpoint, 'ci:referred/ci:by'),
    media: elements(endpoint, 'ci:media').map((media) => ({
      type: text(media, 'ci:type'),
      status: text(media, 'ci:status'),
    })),
  };
}

function attribute(element: XmlElement, name: string): string {
  return element.attr(name)?.value ?? '';
}

function elements(element: XmlElement, path: string): XmlElement[] {
  return element.find(path, namespaces) as XmlElement[];
}

function text(element: XmlElement, path: string): string {
  return (element.get(path, namespaces) as XmlElement | null)?.content ?? '';
}

function userPart(uri: string): string {
  return /^sips?:([^@;]+)@/.exec(uri)?.[1] ?? uri;
}
