import { readRoster, type SeenEndpoint, type SeenRoster, type SeenUser } from './conference-document.ts';
import { type Before, ReferenceSubscriber } from './reference-subscriber.ts';
import type { Known } from './seen-roster.ts';

/**
 * The rosters that the documents of one subscription put together, one after the other; a document that deletes the
 * conference stands for itself. Throws when something is wrong with a document, or with what it follows.
 */
export function rostersOf(documents: readonly string[], before?: Before): readonly SeenRoster[] {
  const subscriber = new ReferenceSubscriber('the watcher', before);
  return documents.map((xml) => {
    subscriber.mustReceive(xml);
    const own = readRoster(xml);
    return subscriber.roster === null ? own : rosterOf(subscriber.roster, own.version);
  });
}

/** What a subscriber has put together, as a whole document of that version would show it. */
export function rosterOf(known: Known, version: number): SeenRoster {
  const users = partOf(known, 'users');
  return {
    entity: known.attributes.get('entity') ?? '',
    state: 'full',
    version,
    subject: textIn(known, 'conference-description', 'subject'),
    userCount: Number(textIn(known, 'conference-state', 'user-count')),
    locked: textIn(known, 'conference-state', 'locked'),
    users: partsOf(users, 'user').map(userOf),
  };
}

function userOf(user: Known): SeenUser {
  return {
    entity: user.attributes.get('entity') ?? '',
    displayText: textIn(user, 'display-text'),
    endpoints: partsOf(user, 'endpoint').map(endpointOf),
  };
}

function endpointOf(endpoint: Known): SeenEndpoint {
  return {
    entity: endpoint.attributes.get('entity') ?? '',
    status: textIn(endpoint, 'status'),
    joiningMethod: textIn(endpoint, 'joining-method'),
    disconnectionMethod: textIn(endpoint, 'disconnection-method'),
    disconnectionReason: textIn(endpoint, 'disconnection-info', 'reason'),
    referredBy: textIn(endpoint, 'referred', 'by'),
    media: [...endpoint.within].flatMap(([place, text]) =>
      place.startsWith('media ') && typeof text === 'string'
        ? [{ type: innermost(text, 'type'), status: innermost(text, 'status') }]
        : [],
    ),
  };
}

function partOf({ within }: Known, name: string): Known {
  const part = within.get(name);
  return part === undefined || typeof part === 'string' ? { attributes: new Map(), within: new Map() } : part;
}

function partsOf({ within }: Known, name: string): readonly Known[] {
  return [...within].flatMap(([place, part]) =>
    place.startsWith(`${name} `) && typeof part !== 'string' ? [part] : [],
  );
}

/** Text of a child that is taken whole, or of an element in it. */
function textIn({ within }: Known, name: string, inner: string = name): string {
  const text = within.get(name);
  return typeof text === 'string' ? innermost(text, inner) : '';
}

function innermost(text: string, name: string): string {
  return new RegExp(`<${name}(?: [^>]*)?>(.*?)</${name}>`, 's').exec(text)?.[1] ?? '';
}
