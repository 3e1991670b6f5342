import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type DialForm, firstForm, nextForm, type Refusal } from '../../../src/core/conference/dial-plan.ts';
import { limits } from '../../../src/core/limits.ts';

const settings = { sessionExpires: 1_800, minSe: 90 };
const replaces = { callId: 'a84b4c76e66710', toTag: 'one', fromTag: 'two', earlyOnly: false };

const refusals: fc.Arbitrary<Refusal> = fc.record({
  cause: fc.record({ status: fc.constantFrom(302, 403, 415, 420, 422, 481, 486, 488), reason: fc.constant('No') }),
  unsupported: fc.constantFrom([], ['replaces'], ['timer']),
  minSe: fc.constantFrom(null, 60, 3_600, 90_000),
});

test('whatever an invitee answers, there is a last INVITE, and all of them fit into the log', () => {
  fc.assert(
    fc.property(
      fc.array(refusals, { minLength: 60, maxLength: 60 }),
      fc.record({ lenient: fc.boolean(), audio: fc.constantFrom('off', 'inactive') }),
      fc.constantFrom(replaces, null),
      (answers, rules, asked) => {
        const join = asked === null ? 'x;to-tag=1;from-tag=2' : null;
        let form: DialForm = firstForm({ replaces: asked, join, multipart: true }, settings);
        let invites = 1;
        // Not every refusal is answered by another INVITE; those that are change the form for good.
        for (const refusal of answers) {
          const next = nextForm(form, refusal, rules);
          if (next === null) continue;
          form = next.form;
          invites += 1;
        }
        expect(invites).toBeLessThanOrEqual(limits.attemptsPerParticipantMax);
      },
    ),
  );
});

test('QK-9 what was read otherwise than it was written is named', () => {
  const form = firstForm({ replaces, join: null, multipart: false }, settings);
  const refusal = { cause: { status: 481, reason: '' }, unsupported: [], minSe: null };
  const first = nextForm(form, refusal, { lenient: true, audio: 'off' });
  expect(first).toMatchObject({ quirk: 'QK-9', change: 'QK-9', form: { replaces: { toTag: 'two', fromTag: 'one' } } });
  const second = nextForm(first?.form ?? form, refusal, { lenient: true, audio: 'off' });
  expect(second).toMatchObject({ quirk: null, change: 'without Replaces', form: { replaces: null } });
});
