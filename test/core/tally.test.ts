import { expect, test } from 'vitest';
import type { Effect, Outcome } from '../../src/core/effect.ts';
import type { Input } from '../../src/core/input.ts';
import type { ParticipantRow } from '../../src/core/rows.ts';
import { Count, sumOf, Tally } from '../../src/core/tally.ts';
import { factoryUri, inviteFrom, recipients, unexplained } from '../support/fixtures.ts';
import { changeOf, eventRow, noon, participantRow } from '../support/stored-rows.ts';

function tallied(...inputs: Input[]): Tally {
  const tally = new Tally();
  for (const input of inputs) tally.took(input);
  return tally;
}

/** An input, as far as the tally looks at it. */
const inPart = (part: { readonly type: Input['type'] } & Record<string, unknown>) => part as unknown as Input;

const failed = (status: number): Input => ({
  type: 'endpoint-failed',
  endpointId: 'endpoint-1',
  cause: { status, reason: '' },
  unsupported: [],
  ...unexplained,
});

test('a tally to begin with is empty', () => {
  const tally = new Tally();
  const all = [tally.quirks, tally.refusals, tally.dialAttempts, tally.events];
  expect([all.map(({ entries }) => entries), tally.referrals]).toEqual([[[], [], [], []], 0]);
});

test('quirks are counted of the request and of each entry of its list', () => {
  const list = recipients(['bob@biloxi.example.com', 'ted@example.net', 'sip:carol@chicago.example.com']);
  const invite = inviteFrom('alice', factoryUri, { quirks: ['QK-4', 'QK-34'], list });
  expect(tallied(invite, { ...invite, list: null }).quirks.entries).toEqual([
    ['QK-4', 2],
    ['QK-34', 2],
    ['QK-6', 2],
  ]);
});

test('quirks are counted of a request that was refused as it came', () => {
  const refused = inPart({ type: 'request-refused', code: 'bad-list', quirks: ['QK-1'] });
  expect(tallied(refused).quirks.entries).toEqual([['QK-1', 1]]);
});

test('quirks are counted of whom a REFER names, and of whom a refused list tells', () => {
  const refer = inPart({ type: 'refer-received', quirks: [], targets: recipients(['bob@biloxi.example.com']) });
  const members = inPart({ ...failed(403), members: recipients(['ted@example.net']) });
  expect(tallied(refer, members).quirks.entries).toEqual([['QK-6', 2]]);
});

test('a word that is no quirk is not counted as one', () => {
  const quirks = ['QK-0', 'QK-41', 'QK-7 ', 'toString', ''];
  expect(tallied(inviteFrom('alice', factoryUri, { quirks })).quirks.entries).toEqual([]);
});

test('final answers to INVITEs of ours are counted by status, whatever peers make of that', () => {
  const answered = inPart({ type: 'endpoint-answered', endpointId: 'endpoint-1' });
  const tally = tallied(answered, failed(486), failed(486), failed(699), failed(700), failed(99), failed(486.5));
  expect(tally.dialAttempts.entries).toEqual([
    ['200', 1],
    ['486', 2],
    ['699', 1],
    ['other', 3],
  ]);
});

test('answers are counted: refusals by their code, REFERs that were accepted', () => {
  const tally = new Tally();
  const refused: Outcome = { kind: 'refused', code: 'list-too-long', detail: '' };
  const referred: Outcome = {
    kind: 'referral-accepted',
    referralId: 'referral-1',
    contact: factoryUri,
    toTag: null,
    subscribes: false,
  };
  for (const outcome of [refused, referred, refused, { kind: 'participant-removed' } as const]) tally.answered(outcome);
  expect([tally.refusals.entries, tally.referrals]).toEqual([[['list-too-long', 2]], 1]);
});

test('what happened in conferences is counted by the type of the event', () => {
  const tally = new Tally();
  const events = ['conference.created', 'participant.invited', 'participant.invited'].map((type, index) =>
    eventRow({ conferenceId: 'conf-1', seq: index, type }),
  );
  tally.left(changeOf({ events }), []);
  tally.left(null, []);
  expect(tally.events.entries).toEqual([
    ['conference.created', 1],
    ['participant.invited', 2],
  ]);
});

/** Bob, whose INVITE was sent again with this change. */
function redialled(change: string | null): ParticipantRow {
  const attempt = { endpointId: 'endpoint-1', at: noon, replaces: null, outcome: null, endedAt: null };
  const attempts = [null, change].map((each) => ({ ...attempt, change: each, reasonHeader: null }));
  return participantRow({ id: 'bob', conferenceId: 'conf-1', attempts });
}

const inviteTo = (endpointId: string) => ({ type: 'sip.invite', endpointId }) as Effect;

test.each([
  ['in the form of a quirk', 'QK-9', 'endpoint-1', [['QK-9', 1]]],
  ['in another form', 'without Replaces', 'endpoint-1', []],
  ['for the first time', null, 'endpoint-1', []],
  ['to somebody else', 'QK-9', 'endpoint-2', []],
] as const)('an INVITE that is sent %s', (...[, change, endpointId, counted]) => {
  const tally = new Tally();
  const saved = changeOf({ participants: [redialled(change)] });
  tally.left(saved, [{ type: 'sip.cancel', endpointId: 'endpoint-1' }, inviteTo(endpointId)]);
  // Saved again without an INVITE, as when it rings.
  tally.left(saved, []);
  expect(tally.quirks.entries).toEqual(counted);
});

test('two counts are read as one, at any time', () => {
  const [a, b] = [new Count(), new Count()];
  const sum = sumOf(a, b);
  expect(sum.entries).toEqual([]);
  for (const word of ['403', '425', '403']) a.add(word);
  for (const word of ['424', '403']) b.add(word);
  expect(sum.entries).toEqual([
    ['403', 3],
    ['425', 1],
    ['424', 1],
  ]);
});

test('refused NICKNAMEs are counted by status, and the copies of messages that receivers lost', () => {
  const tally = new Tally();
  for (const status of [200, 425, 424, 425]) tally.answered({ kind: 'nickname-answered', status, comment: '' });
  expect(tally.nicknamesRefused.entries).toEqual([
    ['425', 2],
    ['424', 1],
  ]);
  const loss = (count: number) => ({ endpointId: 'endpoint-1', count, reason: 'it did not read' });
  const told = { type: 'messages-switched', conferenceId: 'conf-1', count: 4, messages: [] } as const;
  tally.took({ ...told, losses: [loss(2), loss(1)] });
  tally.took({ ...told, losses: [] });
  expect(tally.messagesLost).toBe(3);
});
