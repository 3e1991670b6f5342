import { expect, test } from 'vitest';
import { usualChat } from '../../src/core/chat-policy.ts';
import type { Turn } from '../../src/core/context.ts';
import type { Outcome } from '../../src/core/effect.ts';
import type { Input } from '../../src/core/input.ts';
import { Service } from '../../src/core/service.ts';
import type { Settings } from '../../src/core/settings.ts';
import { countingIds, factoryUri, inviteFrom, settings, subscribeFrom } from '../support/fixtures.ts';
import { referFrom } from '../support/refer-steps.ts';
import { team, teamUri } from '../support/teams.ts';

/** The core alone, whose turns may be undone as after a save that failed. */
function service(changes: Partial<Settings> = {}): (input: Input) => Turn {
  const core = new Service({ settings: settings(changes), ids: countingIds() });
  core.handle({ type: 'group-defined', group: team() }, 0);
  return (input) => {
    const [turn] = core.handle(input, 0);
    if (turn === undefined) throw new Error('nothing follows');
    return turn;
  };
}

const outcomes = (turn: Turn): Outcome[] =>
  turn.effects.flatMap((effect) => (effect.type === 'reply' ? [effect.outcome] : []));

const saved = (turn: Turn) =>
  turn.effects.flatMap((effect) => (effect.type === 'store.save' ? effect.change.conferences : []));

test('a session that could not be saved never was: the next call starts it', () => {
  const handle = service();
  handle(inviteFrom('bob', teamUri)).undo();
  const again = handle(inviteFrom('ted', teamUri));
  expect(outcomes(again)).toMatchObject([{ kind: 'session-accepted' }]);
  expect(saved(again)).toMatchObject([{ groupId: 'team', createdBy: 'sip:ted@example.net', version: 1 }]);
});

test('who joined in a turn that could not be saved keeps no conference alive', () => {
  const handle = service({ endPolicy: 'last-leaves' });
  const made = handle(inviteFrom('alice', factoryUri));
  const [conference] = saved(made);
  const uri = conference?.uri ?? '';
  handle(inviteFrom('bob', uri)).undo();
  const [accepted] = outcomes(made);
  if (accepted?.kind !== 'session-accepted') throw new Error('Alice is not in');
  const left = handle({ type: 'dialog-ended', endpointId: accepted.endpointId, by: 'peer', reason: null });
  expect(saved(left)).toMatchObject([{ status: 'ended', endReason: 'last-left', participantCount: 0 }]);
});

test('of an end that could not be saved nobody who switches messages is told, also later: they are all there still', () => {
  const handle = service();
  const made = handle(inviteFrom('alice', factoryUri));
  const uri = saved(made)[0]?.uri ?? '';
  handle(inviteFrom('bob', uri));
  const [accepted] = outcomes(made);
  if (accepted?.kind !== 'session-accepted') throw new Error('Alice is not in');
  const ended = handle({ type: 'dialog-ended', endpointId: accepted.endpointId, by: 'peer', reason: null });
  expect(saved(ended)).toMatchObject([{ endReason: 'creator-left' }]);
  ended.undo();
  const routes = handle(subscribeFrom('bob', uri)).effects.filter(({ type }) => type === 'msrp.route');
  expect(routes).toEqual([]);
});

test('who left in a turn that could not be saved is still there', () => {
  const handle = service({ endPolicy: 'idle' });
  const made = handle(inviteFrom('alice', factoryUri));
  const [accepted] = outcomes(made);
  if (accepted?.kind !== 'session-accepted') throw new Error('Alice is not in');
  const gone: Input = { type: 'dialog-ended', endpointId: accepted.endpointId, by: 'peer', reason: null };
  handle(gone).undo();
  const again = handle(gone);
  expect(again.effects).toContainEqual(
    expect.objectContaining({ type: 'timer.start', id: expect.stringMatching(/^idle:/) }),
  );
  expect(saved(again)).toMatchObject([{ status: 'active', participantCount: 0 }]);
});

test('a creation that could not be saved counts all the same', () => {
  const handle = service({ creationsPerMinute: 1 });
  handle(inviteFrom('alice', factoryUri)).undo();
  expect(outcomes(handle(inviteFrom('alice', factoryUri)))).toMatchObject([{ code: 'too-many-creations' }]);
});

test('a REFER that could not be saved never was: nobody is called, and it is no dialog’s first', () => {
  const handle = service();
  const uri = saved(handle(inviteFrom('alice', factoryUri)))[0]?.uri ?? '';
  const asked = referFrom('alice', uri, { to: 'bob', cseq: 2 });
  handle(asked).undo();
  const again = handle({ ...asked, reply: 'sip:alice:again', cseq: 3 });
  expect(outcomes(again)).toMatchObject([{ kind: 'referral-accepted' }]);
  expect(again.effects.filter(({ type }) => type === 'sip.invite')).toHaveLength(1);
  expect(again.effects).toContainEqual(expect.objectContaining({ type: 'sip.notify-referral', eventId: null }));
});

test('a roster that could not be saved is told to nobody, though the next has its version', () => {
  const handle = service();
  const uri = saved(handle(inviteFrom('alice', factoryUri)))[0]?.uri ?? '';
  const bodies = (turn: Turn): (string | null)[] =>
    turn.effects.flatMap((effect) => (effect.type === 'sip.notify' ? [effect.body] : []));
  const [first] = handle(subscribeFrom('alice', uri)).effects.flatMap((effect) =>
    effect.type === 'sip.notify' ? [effect.subscriptionId] : [],
  );
  handle({ type: 'notify-answered', subscriptionId: first ?? '', status: 200 });
  const lost = handle(inviteFrom('bob', uri));
  expect(bodies(lost)).toEqual([expect.stringContaining('sip:bob@')]);
  lost.undo();
  const [body] = bodies(handle(inviteFrom('ted', uri)));
  expect(body).toContain('sip:ted@');
  expect(body).not.toContain('sip:bob@');
});

test('a nickname that could not be saved is nobody’s, and the one before it still is', () => {
  const handle = service();
  const made = handle(inviteFrom('alice', factoryUri));
  const [conference] = saved(made);
  const joined = handle(inviteFrom('bob', conference?.uri ?? ''));
  const [alice, bob] = [made, joined].map((turn) => {
    const [accepted] = outcomes(turn);
    return accepted?.kind === 'session-accepted' ? accepted.endpointId : '';
  });
  const take = (endpointId = '', nickname: string | null = null): Turn => {
    const conferenceId = conference?.id ?? '';
    return handle({ type: 'nickname-asked', reply: 'msrp:1', conferenceId, endpointId, nickname });
  };
  take(alice, 'First');
  take(alice, 'Second').undo();
  expect(outcomes(take(bob, 'second'))).toMatchObject([{ status: 200 }]);
  expect(outcomes(take(bob, 'first'))).toMatchObject([{ status: 425 }]);
  take(alice).undo();
  expect(outcomes(take(alice, 'FIRST'))).toMatchObject([{ status: 200 }]);
});

test('who comes in a turn that could not be saved is greeted and announced when that is handled again', () => {
  const chat = { ...usualChat, greeting: true, announcements: true };
  const handle = service({ chat });
  const made = handle(inviteFrom('alice', factoryUri, { subject: 'Lunch' }));
  const uri = saved(made)[0]?.uri ?? '';
  const texts = (turn: Turn): string[] =>
    turn.effects.flatMap((effect) => (effect.type === 'msrp.notice' ? [effect.text] : []));
  expect(texts(made)).toEqual(['Lunch']);
  const lost = handle(inviteFrom('bob', uri));
  expect(texts(lost)).toEqual(['Lunch', expect.stringMatching(/ has come$/)]);
  lost.undo();
  const joined = handle(inviteFrom('bob', uri));
  expect(texts(joined)).toEqual(texts(lost));
  const [accepted] = outcomes(joined);
  const endpointId = accepted?.kind === 'session-accepted' ? accepted.endpointId : '';
  const gone: Input = { type: 'dialog-ended', endpointId, by: 'peer', reason: null };
  const left = handle(gone);
  expect(texts(left)).toEqual([expect.stringMatching(/ has left$/)]);
  left.undo();
  expect(texts(handle(gone))).toEqual(texts(left));
});

test('what an operator said in a turn that could not be saved is not kept either', () => {
  const handle = service({ chat: { ...usualChat, history: 'content' } });
  const [conference] = saved(handle(inviteFrom('alice', factoryUri)));
  const conferenceId = conference?.id ?? '';
  const rowsOf = (turn: Turn) =>
    turn.effects.flatMap((effect) => (effect.type === 'store.save' ? effect.change.messages : []));
  const said = handle({
    type: 'notice-requested',
    reply: 'http:1',
    actor: 'key:1',
    conferenceId,
    contentType: 'text/plain',
    text: 'Fire!',
    participantIds: null,
  });
  expect(rowsOf(said)).toHaveLength(1);
  said.undo();
  expect(rowsOf(handle({ type: 'messages-switched', conferenceId, count: 1, messages: [], losses: [] }))).toEqual([]);
});
