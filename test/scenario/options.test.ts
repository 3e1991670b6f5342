import { expect, test } from 'vitest';
import type { Outcome } from '../../src/core/effect.ts';
import { factoryUri, optionsFrom } from '../support/fixtures.ts';
import { teamUri, teamWorld } from '../support/teams.ts';

/** OPTIONS is answered by what its Request-URI names (RFC 3261 11.2, RFC 4579 5.14). */

const conferenceUri = 'sip:conf-1@conf.example.com';

/** How OPTIONS are answered where a conference runs, a group is defined, and another conference is over. */
function asked(target: string, requires: readonly string[] = []): Outcome {
  const world = teamWorld();
  world.factoryInvite(null);
  const over = world.factoryInvite(null);
  const outcome = world.outcome(over.reply);
  if (outcome.kind !== 'session-accepted') throw new Error(outcome.kind);
  world.happens({ type: 'dialog-ended', endpointId: outcome.endpointId, by: 'peer', reason: null });
  const input = optionsFrom('bob', target, { requires });
  world.happens(input);
  return world.outcome(input.reply);
}

test.each([
  ['CC-005 the factory', factoryUri, 'factory', null],
  ['CC-006 a conference', conferenceUri, 'conference', conferenceUri],
  ['CC-006 a group', teamUri, 'group', teamUri],
  ['the server', 'sip:conf.example.com', 'server', null],
])('%s', (_what, target, ...[at, contact]) => {
  expect(asked(target)).toEqual({ kind: 'capabilities', at, contact });
});

test('a conference that is over is 410, what never was 404, an option that nobody knows 420', () => {
  expect(asked('sip:conf-2@conf.example.com')).toMatchObject({ code: 'conference-ended' });
  expect(asked('sip:conf-3@conf.example.com')).toMatchObject({ code: 'no-such-identity' });
  expect(asked(conferenceUri, ['100rel', 'x-unknown'])).toMatchObject({ headers: { Unsupported: 'x-unknown' } });
  expect(asked(conferenceUri, ['x-one', 'x-two', 'x-one'])).toMatchObject({ headers: { Unsupported: 'x-one, x-two' } });
});
