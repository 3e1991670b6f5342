import { expect, test } from 'vitest';
import { ReferenceSubscriber } from './reference-subscriber.ts';
import { withSchema } from './schema.ts';
import { type Known, linesOf, sameRoster } from './seen-roster.ts';

const namespace = 'urn:ietf:params:xml:ns:conference-info';
const description = '<conference-description><subject>Lunch</subject></conference-description>';
const state = (count: number): string => `<conference-state><user-count>${count}</user-count></conference-state>`;

/** A document; without a `state` it has none. */
function document(version: number | string, state: string, content: string): string {
  const said = state === '' ? '' : ` state="${state}"`;
  return `<?xml version="1.0" encoding="UTF-8"?><conference-info xmlns="${namespace}" entity="sip:conf-1@example.com"${said} version="${version}">${content}</conference-info>`;
}

function user(name: string, content: string, state = ''): string {
  return `<user entity="sip:${name}@example.com"${state === '' ? '' : ` state="${state}"`}>${content}</user>`;
}

function endpoint(name: string, content: string, state = ''): string {
  return `<endpoint entity="sip:${name}@pc"${state === '' ? '' : ` state="${state}"`}>${content}</endpoint>`;
}

const status = (word: string): string => `<status>${word}</status>`;
const media = (id: string, word: string): string => `<media id="${id}"><type>message</type>${status(word)}</media>`;
const partialUsers = (content: string): string => `<users state="partial">${content}</users>`;

const aliceAndBob = `${description}${state(2)}<users>${user('alice', endpoint('alice', status('connected')))}${user(
  'bob',
  `<roles><entry>participant</entry></roles>${endpoint('bob', `${status('connected')}${media('1', 'sendrecv')}${media('2', 'inactive')}`)}`,
)}</users>`;

const aliceLines = { 'users/user sip:alice@example.com/endpoint sip:alice@pc/status': '<status>connected</status>' };

/** Alice, who was told of herself and of Bob. */
function alice(): ReferenceSubscriber {
  const subscriber = new ReferenceSubscriber('alice');
  expect(subscriber.receive(document(0, 'full', aliceAndBob))).toEqual({ outcome: 'full', faults: [] });
  return subscriber;
}

const rosterOf = ({ roster }: ReferenceSubscriber): Readonly<Record<string, string>> =>
  roster === null ? {} : Object.fromEntries(linesOf(roster));

/** What is known of Bob. */
function bobIn(subscriber: ReferenceSubscriber): Readonly<Record<string, string>> {
  const bob = 'users/user sip:bob@example.com/';
  const lines = Object.entries(rosterOf(subscriber)).filter(([place]) => place.startsWith(bob));
  return Object.fromEntries(lines.map(([place, text]) => [place.slice(bob.length), text]));
}

test('a full document is the roster', () => {
  expect(rosterOf(alice())).toMatchObject({
    ...aliceLines,
    '@entity': 'sip:conf-1@example.com',
    'conference-description': '<conference-description><subject>Lunch</subject></conference-description>',
    'conference-state': '<conference-state><user-count>2</user-count></conference-state>',
    'users/user sip:bob@example.com/roles': '<roles><entry>participant</entry></roles>',
    'users/user sip:bob@example.com/endpoint sip:bob@pc/media 2':
      '<media id="2"><type>message</type><status>inactive</status></media>',
  });
});

test('RFC 4575 4.6: a further full document replaces all there was, even after a gap', () => {
  const subscriber = alice();
  const { outcome } = subscriber.receive(document(7, '', `${description}<users/>`), { afterLoss: true });
  expect(outcome).toBe('full');
  expect(Object.keys(rosterOf(subscriber))).toEqual(['@entity', 'conference-description']);
});

test('RFC 4575 4.6: an equal or a lower version is discarded', () => {
  const subscriber = alice();
  const before = subscriber.roster;
  const again = subscriber.receive(document(0, 'full', `${description}<users/>`));
  expect(again).toEqual({ outcome: 'discarded', faults: ['alice, version 0: it follows version 0'] });
  expect(subscriber.roster).toBe(before);
});

test('RFC 4575 4.6: a partial document that is not the next one is a gap, until a full one comes', () => {
  const subscriber = alice();
  const before = subscriber.roster;
  const late = subscriber.receive(document(2, 'partial', state(3)));
  expect(late).toEqual({
    outcome: 'gap',
    faults: ['alice, version 2: it follows version 0', 'alice, version 2: a gap: it is partial, after version 0'],
  });
  expect([subscriber.roster, subscriber.isCoherent]).toEqual([before, false]);
  expect(subscriber.receive(document(3, 'full', aliceAndBob))).toEqual({ outcome: 'full', faults: [] });
  expect(subscriber.isCoherent).toBe(true);
});

test('where documents may have been lost, a gap is nobody’s fault', () => {
  const subscriber = alice();
  const late = subscriber.receive(document(5, 'partial', state(3)), { afterLoss: true });
  expect(late).toEqual({ outcome: 'gap', faults: [] });
});

test('a partial document as the first one is a gap', () => {
  const { outcome, faults } = new ReferenceSubscriber('alice').receive(document(0, 'partial', state(3)));
  expect(outcome).toBe('gap');
  expect(faults).toEqual(['alice, version 0: a gap: it is partial, after nothing']);
});

test('whoever says by Last-Notify-Version what it has goes on from there', () => {
  const before = alice();
  const subscriber = new ReferenceSubscriber('alice', { lastNotifyVersion: 0, earlier: [before] });
  expect(subscriber.receive(document(1, 'partial', state(3)))).toEqual({ outcome: 'partial', faults: [] });
  expect(rosterOf(subscriber)).toMatchObject({ ...aliceLines, 'conference-state': state(3) });
  const forgetful = new ReferenceSubscriber('alice', { lastNotifyVersion: 4, earlier: [before] });
  expect(forgetful.receive(document(5, 'partial', state(3))).outcome).toBe('gap');
});

test('every version is one more than the last, and the first is 0', () => {
  const first = new ReferenceSubscriber('alice').receive(document(1, 'full', aliceAndBob));
  expect(first).toEqual({ outcome: 'full', faults: ['alice, version 1: the first version is not 0'] });
  const third = alice().receive(document(2, 'full', aliceAndBob));
  expect(third).toEqual({ outcome: 'full', faults: ['alice, version 2: it follows version 0'] });
});

test('RFC 4575 4.4: conference-state is replaced as a whole, what a partial document does not name stays', () => {
  const subscriber = alice();
  const locked = '<conference-state><locked>true</locked></conference-state>';
  expect(subscriber.receive(document(1, 'partial', locked))).toEqual({ outcome: 'partial', faults: [] });
  expect(rosterOf(subscriber)).toMatchObject({ ...aliceLines, 'conference-state': locked });
  const host = '<host-info><display-text>Alice</display-text></host-info>';
  subscriber.receive(document(2, 'partial', `<conference-description/>${host}`));
  expect(rosterOf(subscriber)).toMatchObject({
    'conference-description': '<conference-description></conference-description>',
    'host-info': host,
    'conference-state': locked,
  });
});

test('a full user within partial users comes, or takes the place of the one with its entity', () => {
  const subscriber = alice();
  const changed = user('bob', endpoint('bob', status('on-hold')), 'full');
  const ted = user('ted', endpoint('ted', status('alerting')));
  expect(subscriber.receive(document(1, 'partial', partialUsers(`${changed}${ted}`))).faults).toEqual([]);
  expect(bobIn(subscriber)).toEqual({
    '@entity': 'sip:bob@example.com',
    'endpoint sip:bob@pc/@entity': 'sip:bob@pc',
    'endpoint sip:bob@pc/status': status('on-hold'),
  });
  expect(rosterOf(subscriber)).toMatchObject({
    ...aliceLines,
    'users/user sip:ted@example.com/endpoint sip:ted@pc/status': status('alerting'),
  });
});

test('a deleted user is gone, and nobody else', () => {
  const subscriber = alice();
  expect(subscriber.receive(document(1, 'partial', partialUsers(user('bob', '', 'deleted')))).faults).toEqual([]);
  expect(bobIn(subscriber)).toEqual({});
  expect(rosterOf(subscriber)).toMatchObject(aliceLines);
});

test('a partial endpoint of a partial user replaces what it names, and its media one by one', () => {
  const subscriber = alice();
  const change = endpoint('bob', `${status('on-hold')}${media('2', 'sendonly')}`, 'partial');
  subscriber.receive(document(1, 'partial', partialUsers(user('bob', change, 'partial'))));
  expect(bobIn(subscriber)).toEqual({
    '@entity': 'sip:bob@example.com',
    'roles': '<roles><entry>participant</entry></roles>',
    'endpoint sip:bob@pc/@entity': 'sip:bob@pc',
    'endpoint sip:bob@pc/status': status('on-hold'),
    'endpoint sip:bob@pc/media 1': media('1', 'sendrecv'),
    'endpoint sip:bob@pc/media 2': media('2', 'sendonly'),
  });
});

test('within a partial user an endpoint comes, and another one goes', () => {
  const subscriber = alice();
  const change = `${endpoint('bob', '', 'deleted')}${endpoint('tablet', status('connected'))}`;
  expect(subscriber.receive(document(1, 'partial', partialUsers(user('bob', change, 'partial')))).faults).toEqual([]);
  expect(bobIn(subscriber)).toMatchObject({ 'endpoint sip:tablet@pc/status': status('connected') });
  expect(bobIn(subscriber)).not.toHaveProperty('endpoint sip:bob@pc/status');
});

test('what is partial must have been known', () => {
  const change = user('bob', endpoint('tablet', status('on-hold'), 'partial'), 'partial');
  const ted = user('ted', '', 'partial');
  const { faults } = alice().receive(document(1, 'partial', partialUsers(`${change}${ted}`)));
  expect(faults).toEqual([
    'alice, version 1: users/user sip:bob@example.com/endpoint sip:tablet@pc is partial, and nothing was known of it',
    'alice, version 1: users/user sip:ted@example.com is partial, and nothing was known of it',
  ]);
});

test('RFC 4575 4.5: keys are strings: another spelling is another user, and a fault of the notifier', () => {
  const subscriber = alice();
  const bob = '<user entity="sip:bob@EXAMPLE.com"/>';
  const { faults } = subscriber.receive(document(1, 'partial', partialUsers(bob)));
  expect(faults).toEqual(['alice, version 1: user sip:bob@EXAMPLE.com was sip:bob@example.com before']);
  expect(rosterOf(subscriber)).toHaveProperty('users/user sip:bob@EXAMPLE.com/@entity');
  expect(bobIn(subscriber)).not.toEqual({});
});

test.each([
  ['sip:bob@h;a=1;b=2', 'sip:bob@h;b=2;a=1'],
  ['sip:bob@h', 'SIP:bob@h'],
  ['sip:b%6Fb@h', 'sip:bob@h'],
])('%s and %s are the same user', (one, other) => {
  const users = `<users><user entity="${one}"/><user entity="${other}"/></users>`;
  const { faults } = new ReferenceSubscriber('alice').receive(document(0, 'full', `${description}${users}`));
  expect(faults).toEqual([`alice, version 0: user ${other} was ${one} before`]);
});

test.each([
  ['sip:bob@h', 'sip:Bob@h'],
  ['sip:bob@h', 'sip:bob@h:5060'],
  ['sip:bob@h', 'sip:bob@h;transport=tcp'],
  ['sip:b%40b@h', 'sip:b@h'],
  ['sip:bob@h', 'sips:bob@h'],
])('%s and %s are two users', (one, other) => {
  const users = `<users><user entity="${one}"/><user entity="${other}"/></users>`;
  const subscriber = new ReferenceSubscriber('alice');
  expect(subscriber.receive(document(0, 'full', `${description}${users}`)).faults).toEqual([]);
});

test('the conference is never spelled in another way', () => {
  const renamed = document(1, 'partial', state(2)).replace('conf-1@example.com', 'conf-1@Example.com');
  const [fault] = alice().receive(renamed).faults;
  expect(fault).toContain('conference-info sip:conf-1@Example.com was sip:conf-1@example.com before');
});

test('RFC 4575 4.4: bare users under a partial root, as in RFC 4579, replace the roster, and are a fault', () => {
  const subscriber = alice();
  const users = `<users>${user('bob', endpoint('bob', status('on-hold')))}</users>`;
  const { outcome, faults } = subscriber.receive(document(1, 'partial', users));
  expect(outcome).toBe('partial');
  expect(faults).toEqual(['alice, version 1: users within a partial document has no state: the roster is replaced']);
  expect(bobIn(subscriber)).toMatchObject({ 'endpoint sip:bob@pc/status': status('on-hold') });
  expect(rosterOf(subscriber)).not.toHaveProperty(Object.keys(aliceLines));
});

test('RFC 4575 4.6: a deleted document ends it all', () => {
  const subscriber = alice();
  expect(subscriber.receive(document(1, 'deleted', ''))).toEqual({ outcome: 'deleted', faults: [] });
  expect(subscriber.roster).toBeNull();
  const { faults } = subscriber.receive(document(2, 'full', aliceAndBob));
  expect(faults).toEqual(['alice, version 2: it comes after the one that deleted the conference']);
});

const wrong: readonly (readonly [string, string, string])[] = [
  ['full without description', document(1, 'full', '<users/>'), 'it is full without conference-description'],
  ['full without users', document(1, '', description), 'it is full without users'],
  [
    'a partial user within full users',
    document(1, 'partial', `<users state="full">${user('bob', '', 'partial')}</users>`),
    'conference-info/users/user sip:bob@example.com is partial within what is full',
  ],
  [
    'a deleted endpoint within a user without state',
    document(1, 'partial', partialUsers(user('bob', endpoint('bob', '', 'deleted')))),
    'conference-info/users/user sip:bob@example.com/endpoint sip:bob@pc is deleted within what is full',
  ],
  [
    'partial users within a full document',
    document(1, 'full', `${description}${partialUsers('')}`),
    'conference-info/users is partial within what is full',
  ],
  [
    'a deleted document with content',
    document(1, 'deleted', description),
    'conference-info is deleted and has content',
  ],
  [
    'a deleted user with content',
    document(1, 'partial', partialUsers(user('bob', endpoint('bob', ''), 'deleted'))),
    'conference-info/users/user sip:bob@example.com is deleted and has content',
  ],
  [
    'a user twice',
    document(1, 'partial', partialUsers(`${user('ted', '')}${user('ted', '')}`)),
    'conference-info/users/user sip:ted@example.com is there twice',
  ],
  [
    'a medium twice',
    document(
      1,
      'partial',
      partialUsers(user('ted', endpoint('ted', `${media('1', 'sendrecv')}${media('1', 'inactive')}`))),
    ),
    'conference-info/users/user sip:ted@example.com/endpoint sip:ted@pc/media 1 is there twice',
  ],
  ['a user without entity', document(1, 'partial', partialUsers('<user/>')), 'conference-info/users/user  has no key'],
  [
    'a time elsewhere',
    document(
      1,
      'partial',
      partialUsers(user('ted', endpoint('ted', '<joining-info><when>2026-01-01T01:00:00+01:00</when></joining-info>'))),
    ),
    'conference-info/users/user sip:ted@example.com/endpoint sip:ted@pc/joining-info/when is not a time in UTC: 2026-01-01T01:00:00+01:00',
  ],
];

test.each(wrong)('%s is a fault', (_what, text, fault) => {
  expect(alice().receive(text).faults).toEqual([`alice, version 1: ${fault}`]);
});

test('what is no conference-info document is a fault, and leaves the roster alone', () => {
  const subscriber = alice();
  const before = subscriber.roster;
  expect(subscriber.receive('<conference-info').faults).toEqual([expect.stringContaining('it is no XML')]);
  expect(subscriber.receive('<conference-info version="1"/>').faults).toEqual([
    'alice, version NaN: the root is conference-info of ',
  ]);
  for (const version of ['', '-1', '4294967296'])
    expect(subscriber.receive(document(version, 'full', aliceAndBob)).faults).toContain(
      `alice, version NaN: the version is "${version}"`,
    );
  expect(subscriber.roster).toBe(before);
});

test('CC-110 elements in another order than the schema’s are a fault', (context) => {
  withSchema(context, 'conference-info.xsd', () => {
    const [fault] = alice().receive(document(1, 'partial', `${state(2)}${description}`)).faults;
    expect(fault).toContain('alice, version 1: it does not fit the schema');
  });
});

test('a fault is thrown with the document and with what is told of it', () => {
  const text = document(2, 'full', aliceAndBob);
  expect(() => alice().mustReceive(text, { told: () => 'focus -> alice : NOTIFY' })).toThrow(
    `alice, version 2: it follows version 0\nfocus -> alice : NOTIFY\n${text}`,
  );
});

test('two rosters are the same in any order and any spelling of XML; differences are told by their places', () => {
  const known = (content: string): Known => {
    const subscriber = new ReferenceSubscriber('alice');
    subscriber.receive(document(0, 'full', content));
    if (subscriber.roster === null) throw new Error('there is no roster');
    return subscriber.roster;
  };
  const one = known(
    `${description}<users>${user('alice', '')}${user('bob', endpoint('bob', status('connected')))}</users>`,
  );
  const other = known(
    `<conference-description ><subject><![CDATA[Lunch]]></subject>\n</conference-description><users>${user('bob', endpoint('bob', status('connected'), 'full'))}${user('alice', '')}</users>`,
  );
  expect(sameRoster(one, other)).toEqual([]);
  const changed = known(`${description}<users>${user('bob', endpoint('bob', status('on-hold')))}</users>`);
  expect(sameRoster(one, changed)).toEqual([
    'users/user sip:alice@example.com/@entity: sip:alice@example.com | nothing',
    'users/user sip:bob@example.com/endpoint sip:bob@pc/status: <status>connected</status> | <status>on-hold</status>',
  ]);
});
