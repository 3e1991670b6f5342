import type { Outcome } from '../../../src/core/effect.ts';
import { inviteFrom, subscribeFrom } from '../../support/fixtures.ts';
import { endCall } from './callers.ts';
import { refuse } from './invitees.ts';
import { ask, type Scene } from './scene.ts';
import { answerNotify, answerReferNotify, refresh } from './watchers.ts';

/** Everybody answers what is asked of them, and leaves. True: there was something to do. */
export function farewell(scene: Scene): boolean {
  const { outside, submit } = scene;
  let left = false;
  for (const call of outside.calls.values()) {
    if (call.state === 'over') continue;
    left = true;
    if (call.state === 'talking') endCall(scene, call, 'peer');
    else if (call.by === 'us') refuse(scene, call, call.cancelled ? 487 : 480);
  }
  for (const known of outside.subscriptions.values()) {
    left = true;
    if (known.outstanding > 0) answerNotify(scene, known, 200);
    else if (!known.over) refresh(scene, known, 0);
  }
  for (const known of outside.referrals.values()) {
    left = true;
    if (known.outstanding > 0) answerReferNotify(scene, known, 200);
  }
  for (const { referralId, target } of outside.refers.splice(0)) {
    left = true;
    submit({ type: 'refer-answered', referralId, target, cause: { status: 200, reason: 'OK' } });
  }
  return left;
}

/** Whatever there has been is asked for once more: nobody knows it. */
export function unknownNow(scene: Scene, fault: (text: string) => void): void {
  const { store } = scene;
  const refused = (what: string) => (outcome: Outcome) => {
    if (outcome.kind !== 'refused' || outcome.code !== 'no-such-dialog')
      fault(`${what} is still known: ${outcome.kind}`);
  };
  for (const { endpointId, conferenceUri, replaces } of store.dialogs.values()) {
    const { type: _type, ...facts } = inviteFrom('p0', conferenceUri);
    const within = { ...facts, type: 'reinvite-received', endpointId, carriesList: false, overlaps: false } as const;
    ask(scene, within, refused(endpointId));
    ask(scene, inviteFrom('p0', conferenceUri, { replaces }), refused(`the dialog of ${endpointId}`));
  }
  for (const subscriptionId of store.everySubscription) {
    const facts = subscribeFrom('p0', 'sip:conf-1@conf.example.com');
    ask(scene, { ...facts, type: 'subscription-refreshed', subscriptionId }, refused(subscriptionId));
  }
  for (const referralId of store.everyReferral) {
    const { type: _type, event: _event, ...facts } = subscribeFrom('p0', 'sip:conf-1@conf.example.com');
    ask(scene, { ...facts, type: 'referral-refreshed', referralId }, refused(referralId));
  }
}
