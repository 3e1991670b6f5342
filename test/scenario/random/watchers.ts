import type { ReferReceived } from '../../../src/core/input.ts';

import { readRecipientUri } from '../../../src/wire/recipient-uri.ts';
import type { RecipientEntry } from '../../../src/wire/resource-lists.ts';
import { subscribeFrom } from '../../support/fixtures.ts';
import { ReferenceSubscriber } from '../../support/reference-subscriber.ts';
import type { Call, Referred, Subscribed } from './outside.ts';
import { addressOf, ask, callerOf, names, type Scene, type Step, someCall, someConference, someOf } from './scene.ts';

/** Who watches, and who has others asked in or sent out. */

/** Mostly all is well: a subscription must live for some changes. */
const notifyAnswers = [...Array<number>(40).fill(200), 481, 408, 404, 500, 503, 489];

export const subscribes: Step = (scene) => {
  const { chance, outside } = scene;
  const row = someConference(scene);
  if (row === null) return null;
  const watched = new Set([...outside.subscriptions.values()].map(({ dialogId }) => dialogId));
  const call = chance.happens(30)
    ? someCall(scene, ({ state, dialogId }) => state === 'talking' && !watched.has(dialogId))
    : null;
  // Mostly somebody who is in: strangers are refused.
  const member = call ?? (chance.happens(80) ? someCall(scene, ({ state }) => state === 'talking') : null);
  const name = member?.name.startsWith('p') === true ? member.name : chance.pick(names);
  const target = member?.conferenceUri ?? (chance.happens(10) ? 'sip:team@conf.example.com' : row.uri);
  const caller = callerOf(scene, name);
  const expires = chance.happens(40) ? null : chance.pick([0, 30, 60, 120, 600, 3_600]);
  const event = chance.happens(3) ? 'presence' : 'conference';
  const input = subscribeFrom(name, target, {
    caller,
    claimed: caller,
    expires,
    event,
    ...(call === null ? {} : { dialogId: call.dialogId }),
  });
  ask(scene, input, (outcome) => {
    if (outcome.kind !== 'subscription-accepted') return;
    const { subscriptionId: id, contact: conferenceUri } = outcome;
    const { dialogId } = input;
    const fresh = { outstanding: 0, allowed: 1, waits: false, notifiedAt: 0, over: false };
    const subscriber = new ReferenceSubscriber(name);
    outside.subscriptions.set(id, { ...fresh, id, dialogId, name, conferenceUri, subscriber });
  });
  return `${name} SUBSCRIBE ${target} ${expires}`;
};

/** A refresh, or with 0 the end. */
export const refreshes: Step = (scene) => {
  const known = someOf(scene, scene.outside.subscriptions.values());
  if (known === null || known.over) return null;
  const expires = scene.chance.pick([null, 0, 30, 60, 600]);
  refresh(scene, known, expires);
  return `${known.name} SUBSCRIBE within ${known.id} ${expires}`;
};

/** A SUBSCRIBE within a subscription. */
export function refresh(scene: Scene, known: Subscribed, expires: number | null): void {
  const { id, name, dialogId, conferenceUri } = known;
  const facts = subscribeFrom(name, conferenceUri, { dialogId, expires, caller: callerOf(scene, name) });
  ask(scene, { ...facts, type: 'subscription-refreshed', subscriptionId: id }, (outcome) => {
    if (outcome.kind === 'subscription-accepted') known.allowed += 1;
  });
}

export const answersNotify: Step = (scene) => {
  const known = someOf(
    scene,
    [...scene.outside.subscriptions.values()].filter(({ outstanding }) => outstanding > 0),
  );
  if (known === null) return null;
  const status = scene.chance.pick(notifyAnswers);
  answerNotify(scene, known, status);
  return `${known.name} ${status} NOTIFY of ${known.id}`;
};

/** A NOTIFY of a subscription is answered; the last one ends it. */
export function answerNotify({ outside, submit }: Scene, known: Subscribed, status: number): void {
  known.outstanding -= 1;
  if (known.outstanding === 0) known.allowed = 1;
  known.waits = status >= 300;
  if (known.over && known.outstanding === 0) outside.subscriptions.delete(known.id);
  submit({ type: 'notify-answered', subscriptionId: known.id, status });
}

/** REFER: in a session, or beside it; to invite, to remove, or to have somebody call in. */
export const refers: Step = (scene) => {
  const { chance, outside } = scene;
  const call = someCall(scene, ({ state }) => state === 'talking');
  const row = someConference(scene);
  if (call === null || row === null) return null;
  const within = chance.happens(60);
  const name = call.name.startsWith('p') ? call.name : chance.pick(names);
  const target = chance.happens(95) ? call.conferenceUri : row.uri;
  const input = referOf(scene, { name, target, call, within });
  ask(scene, input, (outcome) => {
    if (outcome.kind !== 'referral-accepted') return;
    call.referred ||= within;
    const { referralId: id, contact: conferenceUri } = outcome;
    const { dialogId } = input;
    if (outcome.subscribes)
      outside.referrals.set(id, { id, dialogId, name, conferenceUri, outstanding: 0, over: false });
  });
  return `${name} REFER ${within ? `within ${call.dialogId}` : target} ${input.targets.map(({ raw }) => raw).join(' ')}`;
};

function referOf(
  scene: Scene,
  { name, target, call, within }: { name: string; target: string; call: Call; within: boolean },
): ReferReceived {
  const { chance } = scene;
  const { type: _type, event: _event, expires: _expires, ...facts } = subscribeFrom(name, target);
  const caller = callerOf(scene, name);
  const count = chance.happens(20) ? 2 + chance.below(4) : 1;
  const { callId, localTag: toTag, remoteTag: fromTag } = call;
  return {
    ...facts,
    type: 'refer-received',
    method: 'REFER',
    caller,
    claimed: caller,
    dialogId: within ? call.dialogId : facts.dialogId,
    endpointId: within ? call.endpointId : null,
    further: within && call.referred,
    cseq: chance.below(1_000),
    contact: `sip:${name}@pc.example.com`,
    maxForwards: 70,
    targets: Array.from({ length: count }, (_, position) => targetOf(scene, position)),
    viaList: count > 1,
    wantsSubscription: chance.happens(80),
    referredBy: null,
    targetDialog: !within && chance.happens(20) ? { callId, toTag, fromTag, earlyOnly: false } : null,
  };
}

function targetOf({ chance }: Scene, position: number): RecipientEntry {
  const method = chance.pick(['', '', ';method=INVITE', ';method=BYE', ';method=BYE', ';method=REFER', ';method=INFO']);
  const uri = chance.happens(95) ? addressOf(chance.pick(names)) : 'mailto:somebody@example.com';
  const replaces = method === ';method=INVITE' && chance.happens(20) ? '?Replaces=a%3Bto-tag%3Db%3Bfrom-tag%3Dc' : '';
  const raw = `${uri}${method}${replaces}`;
  const own = { raw, position, displayName: null, copyControl: 'bcc', anonymize: false } as const;
  return { ...own, ...readRecipientUri(raw, { lenient: true, purpose: 'refer' }) };
}

export const answersReferNotify: Step = (scene) => {
  const known = someOf(
    scene,
    [...scene.outside.referrals.values()].filter(({ outstanding }) => outstanding > 0),
  );
  if (known === null) return null;
  const status = scene.chance.pick(notifyAnswers);
  answerReferNotify(scene, known, status);
  return `${known.name} ${status} NOTIFY of ${known.id}`;
};

/** A NOTIFY of a referral is answered; the last one ends it. */
export function answerReferNotify({ outside, submit }: Scene, known: Referred, status: number): void {
  known.outstanding -= 1;
  if (known.over && known.outstanding === 0) outside.referrals.delete(known.id);
  submit({ type: 'referral-notify-answered', referralId: known.id, status });
}

/** SUBSCRIBE within a REFER's dialog. */
export const refreshesReferral: Step = (scene) => {
  const known = someOf(scene, scene.outside.referrals.values());
  if (known === null || known.over) return null;
  const { id, name, dialogId, conferenceUri } = known;
  const expires = scene.chance.pick([null, 0, 60]);
  const { type: _type, event: _event, ...facts } = subscribeFrom(name, conferenceUri, { dialogId });
  ask(scene, { ...facts, type: 'referral-refreshed', referralId: id, expires });
  return `${name} SUBSCRIBE of ${id} ${expires}`;
};

export const answersRefer: Step = (scene) => {
  const { chance, outside, submit } = scene;
  if (outside.refers.length === 0) return null;
  const [refer] = outside.refers.splice(chance.below(outside.refers.length), 1);
  if (refer === undefined) return null;
  const status = chance.pick([200, 202, 403, 405, 481, 503]);
  const { referralId, target } = refer;
  submit({ type: 'refer-answered', referralId, target, cause: { status, reason: `Reason ${status}` } });
  return `${status} REFER of ${referralId}`;
};
