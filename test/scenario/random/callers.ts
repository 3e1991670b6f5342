import type { Outcome } from '../../../src/core/effect.ts';
import type { InviteReceived, ReinviteReceived } from '../../../src/core/input.ts';
import type { ReplacesValue } from '../../../src/core/rows.ts';
import { parseSipUri } from '../../../src/wire/sip-uri.ts';
import { clientSdp, factoryUri, inviteFrom, recipients } from '../../support/fixtures.ts';
import type { Call } from './outside.ts';
import {
  addressOf,
  ask,
  callerOf,
  groupNames,
  names,
  type Scene,
  type Step,
  someCall,
  someConference,
} from './scene.ts';

/** Who calls the focus, and what they do in their calls. */

/** A conference is asked for, with a list in which anything may stand. */
export const callsFactory: Step = (scene) => {
  const { chance, store } = scene;
  if (store.running.length >= 12) return null;
  const name = chance.pick(names);
  const entries = Array.from({ length: chance.happens(5) ? 40 : chance.below(7) }, () => listed(scene));
  const list = chance.happens(10) ? null : recipients(entries);
  const requires = list === null ? [] : ['recipient-list-invite'];
  return invites(scene, { name, to: factoryUri, list, requires, subject: chance.happens(50) ? 'talk' : null });
};

/** An entry of a list. */
function listed({ chance, outside }: Scene): Parameters<typeof recipients>[0][number] {
  const uri = chance.happens(85) ? addressOf(chance.pick(names)) : chance.pick(odd(chance.below(200)));
  const call = chance.happens(20) ? [...outside.calls.values()].at(-1) : undefined;
  const named = call === undefined ? {} : { replaces: `${call.callId};to-tag=x;from-tag=y` };
  const joined = call !== undefined && chance.happens(20) ? { join: `${call.callId};to-tag=x;from-tag=y` } : named;
  return { uri, ...joined, copyControl: chance.pick(['to', 'cc', 'bcc'] as const), anonymize: chance.happens(10) };
}

/** URIs that are no plain SIP URI of somebody. */
function odd(number: number): readonly string[] {
  return [
    `sip:guest${number}@h0.example.com`,
    `sip:guest${number}@h${number}.example.net`,
    'mailto:somebody@example.com',
    'tel:+15551234',
    'not a uri at all',
    'sip:x@127.0.0.1',
    factoryUri,
    'sip:team@conf.example.com',
    `sip:p1@h1.example.com;method=BYE`,
  ];
}

/** A group is called. */
export const callsGroup: Step = (scene) => {
  const { chance } = scene;
  const target = `sip:${chance.pick(groupNames)}@conf.example.com`;
  return invites(scene, { name: chance.pick(names), to: target, fromFocus: chance.happens(5) });
};

/** A conference is called, by whoever has a device free. */
export const dialsIn: Step = (scene) => {
  const row = someConference(scene);
  if (row === null) return null;
  return invites(scene, { name: scene.chance.pick(names), to: row.uri });
};

/** A conference is called by somebody who goes on from another dialog, or wants to join it, with the right or not. */
export const dialsInFromAnother: Step = (scene) => {
  const { chance, outside } = scene;
  const call = someCall(scene, ({ state, by }) => state === 'talking' || by === 'us') ?? null;
  const row = someConference(scene);
  if (row === null) return null;
  const known = call ?? ([...outside.calls.values()][0] as Call | undefined);
  const named: ReplacesValue =
    known === undefined || chance.happens(15)
      ? { callId: 'nobody', toTag: 'x', fromTag: 'y', earlyOnly: false }
      : { callId: known.callId, toTag: known.localTag, fromTag: known.remoteTag, earlyOnly: chance.happens(10) };
  const name = known !== undefined && chance.happens(80) ? known.name : chance.pick(names);
  const target = known !== undefined && chance.happens(85) ? known.conferenceUri || row.uri : row.uri;
  const joins = chance.happens(25);
  const who = { name: name.startsWith('p') ? name : 'p0', to: target };
  return invites(scene, joins ? { ...who, join: named } : { ...who, replaces: named });
};

type Calling = Partial<InviteReceived> & { readonly name: string; readonly to: string };

function invites(scene: Scene, { name, to, ...changes }: Calling): string {
  const { chance } = scene;
  const caller = callerOf(scene, name);
  const offer = chance.happens(10) ? null : offerOf(scene, name);
  const expires = chance.happens(30) ? chance.pick([60, 90, 1_800]) : null;
  const input = inviteFrom(name, to, {
    caller,
    claimed: caller,
    offer,
    supports: chance.happens(60) ? ['timer'] : [],
    sessionTimer: { expires, refresher: null, minSe: null },
    maxForwards: chance.happens(3) ? 1 : 70,
    ...(chance.happens(2) ? { requires: ['gin'] } : {}),
    ...changes,
  });
  const call = callOf(input, name);
  scene.outside.calls.set(call.dialogId, call);
  call.waiting.add(input.reply);
  ask(scene, input, (outcome) => answered(scene, { call, input, outcome }));
  const named = input.replaces ?? input.join;
  return `${name} INVITE ${to}${named === null ? '' : ` for ${named.callId}`}${offer === null ? ' without offer' : ''}`;
}

function callOf({ dialogId, callId, fromTag }: InviteReceived, name: string): Call {
  const nothing = {
    endpointId: '',
    localTag: '',
    conferenceUri: '',
    rang: false,
    cancelled: false,
    ack: 'none',
  } as const;
  const remoteTag = fromTag;
  const again = false;
  const waiting = new Set<string>();
  return {
    ...nothing,
    dialogId,
    by: 'peer',
    name,
    callId,
    remoteTag,
    state: 'asked',
    reinvited: false,
    waiting,
    referred: false,
    again,
  };
}

/** What the answer to an INVITE makes of the call; now and then it cannot be sent. */
function answered(
  { chance, outside, submit }: Scene,
  { call, input, outcome }: { call: Call; input: InviteReceived; outcome: Outcome },
): void {
  call.waiting.delete(input.reply);
  if (call.cancelled) return;
  if (outcome.kind !== 'session-accepted') {
    outside.calls.delete(call.dialogId);
    return;
  }
  if (chance.happens(2)) {
    call.state = 'over';
    submit({ type: 'invite-cancelled', dialogId: call.dialogId });
    return;
  }
  call.endpointId = outcome.endpointId;
  call.localTag = outcome.toTag;
  call.conferenceUri = outcome.contact;
  call.state = 'talking';
  call.ack = input.offer === null ? 'answer' : 'plain';
}

/** CANCEL of an INVITE that we have not answered. */
export const cancels: Step = (scene) => {
  const call = someCall(scene, ({ by, state, cancelled }) => by === 'peer' && state === 'asked' && !cancelled);
  if (call === null) return null;
  call.cancelled = true;
  call.state = 'over';
  scene.submit({ type: 'invite-cancelled', dialogId: call.dialogId });
  return `${call.name} CANCEL ${call.dialogId}`;
};

/** ACK of a 200 of ours. */
export const acknowledges: Step = (scene) => {
  const { chance, submit } = scene;
  const call = someCall(scene, ({ state, ack }) => state === 'talking' && ack !== 'none');
  if (call === null) return null;
  const answers = [answerOf(scene, call.name), answerOf(scene, call.name), null, 'unreadable'] as const;
  const answer = call.ack === 'answer' ? chance.pick(answers) : null;
  call.ack = 'none';
  submit({ type: 'ack-received', endpointId: call.endpointId, answer });
  return `${call.name} ACK ${call.dialogId}`;
};

/** Somebody hangs up, or the SIP server gives the session up: for want of an ACK, or because it expired. */
export const hangsUp: Step = (scene) => {
  const call = someCall(scene, ({ state }) => state === 'talking');
  if (call === null) return null;
  const by = scene.chance.happens(20) ? 'server' : 'peer';
  endCall(scene, call, by);
  return `${call.name} BYE ${call.dialogId} by ${by}`;
};

/** The session of a call ends without our doing. */
export function endCall({ submit }: Pick<Scene, 'submit'>, call: Call, by: 'peer' | 'server'): void {
  call.state = 'over';
  submit({ type: 'dialog-ended', endpointId: call.endpointId, by, reason: by === 'server' ? 'ACK timeout' : null });
}

/** INVITE or UPDATE within a session, or while its INVITE is not answered yet. */
export const changesSession: Step = (scene) => {
  const { chance, outside } = scene;
  const early = chance.happens(10);
  const call = someCall(scene, ({ state, by, rang }) =>
    early ? by === 'us' && state === 'asked' && rang : state === 'talking',
  );
  if (call === null) return null;
  const isUpdate = early || chance.happens(30);
  // RFC 3261 14.1: no INVITE before the one before it is over.
  if (!isUpdate && (call.ack !== 'none' || call.reinvited)) return null;
  const { type: _type, ...facts } = inviteFrom(call.name, call.conferenceUri || factoryUri);
  const input: ReinviteReceived = {
    ...facts,
    type: 'reinvite-received',
    method: isUpdate ? 'UPDATE' : 'INVITE',
    endpointId: call.endpointId,
    dialogId: call.dialogId,
    offer: chance.happens(25) ? null : offerOf(scene, call.name),
    carriesList: chance.happens(2),
    overlaps: call.waiting.size > 0,
  };
  call.waiting.add(input.reply);
  ask(scene, input, (outcome) => {
    call.waiting.delete(input.reply);
    if (outcome.kind !== 'session-accepted' || isUpdate || outside.calls.get(call.dialogId) !== call) return;
    call.ack = input.offer === null ? 'answer' : 'plain';
  });
  return `${call.name} ${input.method} within ${call.dialogId}${input.offer === null ? ' without offer' : ''}`;
};

/** OPTIONS, and what nobody can read. */
export const asksOddly: Step = (scene) => {
  const { chance } = scene;
  const { type: _type, ...facts } = inviteFrom('p0', factoryUri);
  if (chance.happens(50)) {
    const target = parseSipUri(
      chance.pick([factoryUri, someConference(scene)?.uri ?? factoryUri, 'sip:conf.example.com']),
    );
    ask(scene, { ...facts, type: 'options-received', method: 'OPTIONS', target });
    return 'OPTIONS';
  }
  const refused = { code: 'bad-body', detail: 'odd', target: factoryUri, caller: null } as const;
  ask(scene, {
    ...refused,
    type: 'request-refused',
    reply: facts.reply,
    method: 'INVITE',
    callId: null,
    quirks: [],
    received: '',
  });
  return 'an INVITE that cannot be read';
};

/** What somebody offers: messages mostly, also on hold, or sound, or what is no use. */
function offerOf({ chance }: Scene, name: string): ReturnType<typeof clientSdp> {
  const direction = chance.happens(25) ? chance.pick(['sendonly', 'inactive', 'recvonly', 'sendrecv']) : undefined;
  return clientSdp(name, {
    setup: chance.pick(['actpass', 'active', 'passive']),
    audio: chance.happens(35),
    msrp: !chance.happens(8),
    ...(direction === undefined ? {} : { direction }),
    ...(chance.happens(3) ? { acceptTypes: 'text/plain', wrapped: null } : {}),
  });
}

/** What somebody answers to an offer of ours. */
export function answerOf({ chance }: Scene, name: string): ReturnType<typeof clientSdp> {
  const port = chance.happens(10) ? 0 : 7656;
  const direction = chance.happens(10) ? { direction: 'inactive' } : {};
  return clientSdp(name, { setup: chance.pick(['active', 'passive']), port, audio: chance.happens(20), ...direction });
}
