import { expect, test } from 'vitest';
import { usualChat } from '../../../src/core/chat-policy.ts';
import { groupPolicy, groupUri } from '../../../src/core/definitions/group-definition.ts';
import { settings } from '../../support/fixtures.ts';

const names = settings({ ownHosts: new Set(['conf.example.com', 'other.example.com', '192.0.2.7']) });
const ported = settings({ ownHosts: new Set(['192.0.2.7']), conferenceAuthority: '192.0.2.7:5080' });

test.each([
  ['team', 'sip:team@conf.example.com'],
  ['night%20shift', 'sip:night%20shift@conf.example.com'],
  ['%74eam', 'sip:team@conf.example.com'],
  ['a/b', 'sip:a/b@conf.example.com'],
  ['a%2fb', 'sip:a/b@conf.example.com'],
  ['%26%3d%2B$%2c%3B%3f', 'sip:&=+$,;?@conf.example.com'],
  ['100%25%40home%3a', 'sip:100%25%40home%3A@conf.example.com'],
  ['caf%c3%a9', 'sip:caf%C3%A9@conf.example.com'],
  ['sip:team@CONF.example.com', 'sip:team@conf.example.com'],
  ['SIP:team@other.example.com', 'sip:team@other.example.com'],
  ['sip:team@192.0.2.7:5080', 'sip:team@192.0.2.7:5080'],
  ['conference', 'sip:conference@conf.example.com'],
])('%s names the group %s', (text, uri) => {
  expect(groupUri(text, names)).toEqual({ ok: true, uri });
});

test('a user part goes before the authority of new conference URIs, its port included', () => {
  expect(groupUri('team', ported)).toEqual({ ok: true, uri: 'sip:team@192.0.2.7:5080' });
});

test.each([
  ['', 'must be a user part or a SIP URI with one'],
  ['a b', 'must be a user part or a SIP URI with one'],
  ['sip:conf.example.com', 'must be a user part or a SIP URI with one'],
  ['sips:team@conf.example.com', 'must be a user part or a SIP URI with one'],
  ['tel:+4930123456', 'must be a user part or a SIP URI with one'],
  ['team@conf.example.com', 'must be a user part or a SIP URI with one'],
  ['sip:team:secret@conf.example.com', 'may have neither password nor parameters nor headers'],
  ['sip:team@conf.example.com;transport=tcp', 'may have neither password nor parameters nor headers'],
  ['sip:team@conf.example.com?Subject=x', 'may have neither password nor parameters nor headers'],
  ['sip:team@example.net', 'is not at a domain of ours: conf.example.com, other.example.com, 192.0.2.7'],
  ['conf-fact', 'is the factory’s'],
  ['sip:conf-fact@other.example.com', 'is the factory’s'],
  ['conf%2dfact', 'is the factory’s'],
  ['caf%e9', 'has escapes that are not UTF-8'],
  ['conf-7', 'begins as those of conferences do, with conf-'],
])('no group is called "%s": it %s', (text, detail) => {
  expect(groupUri(text, names)).toEqual({ ok: false, detail });
});

test('a group of which nothing else is said is closed, led by its chairs, and ends with the last one in it', () => {
  const policy = { end: 'last-leaves', idleSeconds: 42, join: 'members', subscribe: 'members', invite: 'chairs' };
  const chat = { ...usualChat, history: 'facts' } as const;
  expect(groupPolicy({ idleSeconds: 42, chat })).toEqual({ ...policy, ...chat });
});
