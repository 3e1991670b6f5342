import { usualChat } from '../core/chat-policy.ts';
import { groupPolicy } from '../core/definitions/group-definition.ts';
import type { HttpOptions } from './http-options.ts';
import { buildHttp } from './http-server.ts';

/** The OpenAPI document as text, as it stands in `openapi/openapi.json`: made from routes that nobody serves. */
export async function openApiText(): Promise<string> {
  const shell = buildHttp(unserved);
  const document = await shell.document();
  await shell.close();
  return `${JSON.stringify(document, null, 2)}\n`;
}

const definitions = {
  list: refuse,
  byId: refuse,
  byUri: refuse,
  add: refuse,
  replace: refuse,
  remove: refuse,
};

const unserved: HttpOptions = {
  reads: {
    conferences: refuse,
    conference: refuse,
    record: refuse,
    participants: refuse,
    participant: refuse,
    subscriptions: refuse,
    referrals: refuse,
    referral: refuse,
    messages: refuse,
    message: refuse,
    attempts: refuse,
    ping: refuse,
  },
  keys: { keyByHash: refuse, addKey: refuse, countKeys: refuse },
  groups: definitions,
  users: definitions,
  submit: notServed,
  conferenceInfo: refuse,
  lastVersionSent: notServed,
  stats: notServed,
  health: refuse,
  stopping: () => true,
  parseUri: notServed,
  aorOf: notServed,
  isOurs: notServed,
  groupUri: notServed,
  policyRefused: notServed,
  groupPolicy: groupPolicy({ idleSeconds: 0, chat: usualChat }),
  realm: '',
  readings: [],
  log: null,
  ids: { request: notServed, reply: notServed, row: notServed },
  clock: { now: notServed, callAt: notServed },
};

function refuse(): Promise<never> {
  return Promise.reject(new Error('only the document is made here'));
}

function notServed(): never {
  throw new Error('only the document is made here');
}
