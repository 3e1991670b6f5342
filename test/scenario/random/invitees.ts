import type { Input } from '../../../src/core/input.ts';
import { nothingSaid, recipients, unexplained } from '../../support/fixtures.ts';
import { answerOf } from './callers.ts';
import type { Call } from './outside.ts';
import { addressOf, names, type Scene, type Step, someCall, someOf } from './scene.ts';

/** Whom the focus calls, and what becomes of sessions beside SIP. */

const isAsked = ({ by, state }: Call): boolean => by === 'us' && state === 'asked';

export const rings: Step = (scene) => {
  const { chance, submit } = scene;
  const call = someCall(scene, isAsked);
  if (call === null) return null;
  const remoteTag = chance.happens(60) ? `${call.name}tag` : null;
  call.rang = true;
  if (remoteTag !== null) call.remoteTag = remoteTag;
  submit({ type: 'endpoint-alerting', endpointId: call.endpointId, remoteTag });
  return `${call.name} 180 ${call.endpointId}`;
};

/** 200, also when it crosses our CANCEL. */
export const answers: Step = (scene) => {
  const call = someCall(scene, (each) => isAsked(each) && (!each.cancelled || scene.chance.happens(20)));
  if (call === null) return null;
  answer(scene, call);
  return `${call.name} 200 ${call.endpointId}${call.cancelled ? ' across our CANCEL' : ''}`;
};

function answer(scene: Scene, call: Call): void {
  const { chance, submit } = scene;
  call.state = 'talking';
  call.remoteTag = `${call.name}tag`;
  submit({
    type: 'endpoint-answered',
    ...nothingSaid,
    endpointId: call.endpointId,
    dialogId: call.dialogId,
    contact: chance.happens(95) ? `sip:${call.name}@pc.example.com` : null,
    remoteTag: call.remoteTag,
    displayName: chance.happens(30) ? call.name : null,
    private: chance.happens(4),
    answer: chance.happens(4) ? null : answerOf(scene, call.name),
    sessionTimer: chance.happens(30) ? { expires: 1_800, refresher: chance.pick(['uac', 'uas']) } : null,
  });
}

const statuses = [302, 400, 403, 404, 408, 415, 420, 422, 422, 480, 481, 481, 486, 488, 491, 500, 503, 600, 603];

/** A final refusal; of a cancelled INVITE mostly 487. */
export const refuses: Step = (scene) => {
  const { chance } = scene;
  const call = someCall(scene, isAsked);
  if (call === null) return null;
  const status = call.cancelled && chance.happens(90) ? 487 : chance.pick(statuses);
  refuse(scene, call, status);
  return `${call.name} ${status} ${call.endpointId}`;
};

/** The INVITE of ours ends with `status`. */
export function refuse({ chance, submit }: Scene, call: Call, status: number): void {
  const behind = status === 403 && chance.happens(60);
  const members = Array.from({ length: chance.below(4) }, () => addressOf(chance.pick(names)));
  call.state = 'over';
  submit({
    type: 'endpoint-failed',
    endpointId: call.endpointId,
    cause: { status, reason: `Reason ${status}` },
    ...unexplained,
    unsupported: status === 420 ? chance.pick([[], ['replaces'], ['timer']]) : [],
    minSe: status === 422 ? chance.pick([null, 120, 3_600]) : null,
    members: behind ? recipients([...members, `sip:member${chance.below(20)}@h1.example.com`]) : null,
  });
}

/** The end of an INVITE of ours within a session. */
export const answersWithin: Step = (scene) => {
  const { chance, submit } = scene;
  const call = someCall(scene, ({ reinvited }) => reinvited);
  if (call === null) return null;
  call.reinvited = false;
  const { endpointId } = call;
  const status = chance.pick([200, 200, 491, 491, 481, 408, 488, 500, null]);
  const ending: Input =
    status === 200
      ? {
          type: 'reinvite-answered',
          endpointId,
          answer: chance.happens(85) ? answerOf(scene, call.name) : null,
          sessionTimer: null,
        }
      : { type: 'reinvite-failed', endpointId, cause: status === null ? null : { status, reason: `Reason ${status}` } };
  submit(ending);
  return `${call.name} ${status} within ${call.dialogId}`;
};

/** The connection of a message session breaks. */
export const losesMessages: Step = (scene) => {
  const { outside, store, submit } = scene;
  // One that is to be opened anew once that is saved would not be the one that broke.
  if (store.held) return null;
  const open = [...outside.sessions].filter(([, { agreed, lost }]) => agreed && !lost);
  const found = someOf(scene, open);
  if (found === null) return null;
  const [endpointId, session] = found;
  session.lost = true;
  const { conferenceId, sessionId } = session;
  const reason = 'The connection closed';
  submit({ type: 'msrp-closed', conferenceId, endpointId, sessionId, cause: 'lost', reason });
  return `the session of ${endpointId} closes`;
};

export const sendsMessages: Step = (scene) => {
  const session = someOf(scene, scene.outside.sessions.values());
  if (session === null) return null;
  const count = 1 + scene.chance.below(9);
  scene.submit({ type: 'messages-switched', conferenceId: session.conferenceId, count, messages: [], losses: [] });
  return `${count} messages in ${session.conferenceId}`;
};
