import { expect, test } from 'vitest';
import type { Turn } from '../../src/core/context.ts';
import type { Effect } from '../../src/core/effect.ts';
import type { Input } from '../../src/core/input.ts';
import type { StoredConference } from '../../src/core/rows.ts';
import { Service } from '../../src/core/service.ts';
import {
  answerFrom,
  countingIds,
  factoryUri,
  inviteFrom,
  recipients,
  settings,
  subscribeFrom,
  unexplained,
} from '../support/fixtures.ts';
import { referFrom } from '../support/refer-steps.ts';

/** A turn was saved and reported failed: the core is where it was before, the store is not, and nobody was told. */

class Kept {
  readonly core = new Service({ settings: settings(), ids: countingIds() });
  id = '';
  uri = '';
  #stored: StoredConference | undefined;

  /** A turn that was saved and told. */
  done(input: Input): Turn {
    const [turn] = this.core.handle(input, 0);
    if (turn === undefined) throw new Error('nothing follows');
    for (const effect of turn.effects) {
      if (effect.type !== 'store.save') continue;
      const { conferences, referrals } = effect.change;
      for (const { id, uri } of conferences) Object.assign(this, { id, uri });
      const record = this.core.view(this.id);
      const ended = conferences.map((conference) => ({ conference, participants: [], subscriptions: [] }));
      const stored = record ?? ended[0];
      if (stored !== undefined) this.#stored = { ...stored, referrals };
    }
    return turn;
  }

  /** A turn that was saved, and of which nobody was told; gives what is done about it. */
  untold(input: Input): readonly Effect[] {
    this.done(input).undo();
    return this.reconciled()?.effects ?? [];
  }

  reconciled(): Turn | null {
    return this.core.reconcile(this.id, this.#stored, 0);
  }
}

function conference(): { kept: Kept; alice: string; bob: string } {
  const kept = new Kept();
  const list = recipients(['bob']);
  const { effects } = kept.done(inviteFrom('alice', factoryUri, { requires: ['recipient-list-invite'], list }));
  const reply = effects.find((effect) => effect.type === 'reply');
  const invite = effects.find((effect) => effect.type === 'sip.invite');
  if (reply?.outcome.kind !== 'session-accepted' || invite === undefined) throw new Error('there is no conference');
  return { kept, alice: reply.outcome.endpointId, bob: invite.endpointId };
}

const answered = (endpointId: string): Input => answerFrom('bob', { endpointId });

test('whoever is gone by the store’s rows is told so, and so is whoever watches', () => {
  const { kept, alice, bob } = conference();
  kept.done(answered(bob));
  kept.done(subscribeFrom('bob', kept.uri));
  const effects = kept.untold({ type: 'dialog-ended', endpointId: alice, by: 'peer', reason: null });
  expect(effects).toContainEqual(expect.objectContaining({ type: 'sip.bye', endpointId: bob }));
  expect(effects).toContainEqual(
    expect.objectContaining({ type: 'sip.notify', state: { name: 'terminated', reason: 'noresource' } }),
  );
  expect(effects).toContainEqual({ type: 'msrp.unroute', conferenceId: kept.id });
  // The store has the end of it already.
  expect(effects.filter(({ type }) => type === 'store.save')).toEqual([]);
  expect(kept.core.counts).toEqual({ conferences: 0, participants: 0, subscriptions: 0 });
});

test('an INVITE that was to be cancelled is, and is given up when nothing comes of that', () => {
  const { kept, bob } = conference();
  const end = { type: 'end-requested', reply: 'http:1', actor: 'key:1', conferenceId: kept.id, reason: null } as const;
  const effects = kept.untold(end);
  expect(effects).toContainEqual({ type: 'sip.cancel', endpointId: bob });
  expect(effects).toContainEqual(expect.objectContaining({ type: 'timer.start', id: `cancel:${kept.id}:${bob}` }));
});

test('who was replaced by the store’s rows is let go too', () => {
  const { kept, alice } = conference();
  const endpoint = kept.core.view(kept.id)?.participants[0]?.endpoints[0];
  if (endpoint === undefined) throw new Error('Alice is not in');
  const { callId, localTag: toTag, remoteTag } = endpoint;
  const replaces = { callId, toTag, fromTag: remoteTag ?? '', earlyOnly: false };
  const effects = kept.untold(inviteFrom('alice', kept.uri, { replaces }));
  expect(effects).toContainEqual(expect.objectContaining({ type: 'sip.bye', endpointId: alice }));
});

test('a referral that only the store knows of ends', () => {
  const { kept } = conference();
  const effects = kept.untold(referFrom('alice', kept.uri, { to: 'carol' }));
  const [save] = effects;
  expect(save?.type === 'store.save' && save.change.referrals).toMatchObject([{ state: 'ended', endedAt: 0 }]);
});

test('what the last messages came to, if it was saved after all, is not told again: its events would be refused for ever', () => {
  const { kept, alice, bob } = conference();
  kept.done({ type: 'dialog-ended', endpointId: alice, by: 'peer', reason: null });
  const cause = { status: 487, reason: 'Request Terminated' };
  kept.done({ type: 'endpoint-failed', endpointId: bob, cause, unsupported: [], ...unexplained });
  const losses = [{ endpointId: alice, count: 1, reason: 'stalled' }];
  const told: Input = { type: 'messages-switched', conferenceId: kept.id, count: 1, messages: [], losses };
  // Nothing of this one is in the store: it is told again.
  kept.core.handle(told, 0)[0]?.undo();
  expect(kept.reconciled()).toBeNull();
  kept.done(told);
  expect(kept.untold(told)).toEqual([]);
  expect(kept.core.handle(told, 0)).toEqual([]);
});
