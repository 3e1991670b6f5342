import { expect, test } from 'vitest';
import { fatalAnswers } from '../../src/core/conference/notifier.ts';
import { type Sight, sights, type View } from '../../src/core/conference/views.ts';
import { limits } from '../../src/core/limits.ts';
import { unexplained } from '../support/fixtures.ts';
import { World } from '../support/world.ts';
import { indented, pairsTable, printedSection, rowsTable } from './documents.ts';

const page = 'docs/conference-info.md';

const watchers: Readonly<Record<View, string>> = {
  chair: 'the creator, and chairs',
  participant: 'whoever else is or was in it, or was asked in',
  anonymous: 'the same, having asked for privacy',
  observer: 'everybody else, and participants in that role',
};

const views = Object.entries(sights).map(([view, { callInfo, transients, circumstances, addresses }]) => [
  `\`${view}\``,
  watchers[view as View],
  ...[transients, circumstances, addresses, callInfo].map((isShown) => (isShown ? 'yes' : 'no')),
]);

const shown: Readonly<Record<keyof Sight, string>> = {
  transients: 'who is being called, and rings',
  circumstances: 'who asked whom in; when each came and went, and for which SIP answer',
  addresses: 'Contacts, and further addresses',
  callInfo: 'ids of dialogs, unless of who hides',
};

const octets = (count: number): string => `${count.toLocaleString('en')} octets`;
const seconds = (count: number): string => `${count.toLocaleString('en')} seconds`;

const sections = {
  'views': rowsTable(['view', 'who has it', ...Object.values(shown)], views),
  'limits': pairsTable(
    ['what', 'how much'],
    [
      ['a full document', `at most ${octets(limits.conferenceInfoBytesMax)}`],
      ['a partial document', `at most ${octets(limits.partialInfoBytesMax)}`],
      ['Expires, where none is asked for', seconds(limits.subscriptionExpiresDefault)],
      [
        'Expires that is granted',
        `${seconds(limits.subscriptionExpiresMin)} to ${seconds(limits.subscriptionExpiresMax)}`,
      ],
      ['subscriptions to one conference', `at most ${limits.subscriptionsPerConferenceMax.toLocaleString('en')}`],
      ['documents of a former subscription that Last-Notify-Version may name', `the last ${limits.knownDocumentsMax}`],
      ['languages of a user', `at most ${limits.languagesMax}, the best first`],
      ['who has left stays in the roster', seconds(limits.lingerMs / 1_000)],
    ],
  ),
  'answers that end a subscription': [...fatalAnswers].sort((one, other) => one - other).join(', '),
};

for (const [name, expected] of Object.entries(sections)) {
  test(`${page} has the ${name} as the code has them (npm run docs:rewrite writes them)`, () => {
    expect(printedSection(page, name, expected)).toBe(expected);
  });
}

test(`${page} shows a partial document as it is sent (npm run docs:rewrite writes it)`, () => {
  const world = new World({ notifyMinIntervalMs: 5_000 });
  world.factoryInvite(['bob', 'ted', 'carol'], { subject: 'Project chat' });
  world.answers('bob');
  world.subscribes('bob');
  world.answersNotify('bob');
  world.passes(1_200);
  world.answers('ted', undefined, { languages: ['de-AT', 'en'], associatedAors: ['tel:+4312345'] });
  world.passes(800);
  const busy = { cause: { status: 486, reason: 'Busy Here' }, unsupported: [], ...unexplained };
  world.happens({ type: 'endpoint-failed', endpointId: world.endpointOf('carol'), ...busy });
  world.passes(3_000);
  const document = world.notifies('bob').at(-1)?.body ?? '';
  const expected = `\`\`\`xml\n${indented(document)}\n\`\`\``;
  expect(printedSection(page, 'a partial document', expected)).toBe(expected);
});
