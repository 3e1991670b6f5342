/** What an INVITE says beside its offer and list: other dialogs, its session timer. */
import { describe, expect, test } from 'vitest';
import type { InviteReceived } from '../../src/core/input.ts';
import { as, read, refusedAs, sessionDialog, strict, toUs } from './reading.ts';
import { factoryInvite, type Headers, requestText } from './sip-texts.ts';

describe('an INVITE that names a dialog', () => {
  const value = 'a84b4c76e66710;to-tag=fa7e11c0;from-tag=2837302775';
  const named = { callId: 'a84b4c76e66710', toTag: 'fa7e11c0', fromTag: '2837302775', earlyOnly: false };

  test('to take it over (RFC 3891), or to join it (RFC 3911)', () => {
    const replacing = read(factoryInvite({ 'Replaces': `${value};early-only` }));
    expect(replacing).toMatchObject({ replaces: { ...named, earlyOnly: true }, join: null, quirks: [] });
    expect(read(factoryInvite({ 'Join': value }))).toMatchObject({ replaces: null, join: named });
    expect(read(factoryInvite())).toMatchObject({ replaces: null, join: null, referredBy: null });
  });

  test('QK-10 blanks around = are legal, also strictly, and told', () => {
    const raw = factoryInvite({ 'Replaces': 'a84b4c76e66710;to-tag = fa7e11c0;from-tag= 2837302775' });
    expect(read(raw, { rules: strict })).toMatchObject({ replaces: named, quirks: ['QK-10'] });
  });

  test('CC-063 twice is refused, and so is one that is malformed', () => {
    expect(refusedAs(factoryInvite({ 'Replaces': [value, value] }))).toBe('bad-request');
    expect(refusedAs(factoryInvite({ 'Join': [value, 'other;to-tag=1;from-tag=2'] }))).toBe('bad-request');
    for (const malformed of ['', 'a84b', 'a84b;to-tag=1', 'a84b;to-tag=1;to-tag=2;from-tag=3', `${value}, ${value}`]) {
      expect(refusedAs(factoryInvite({ 'Replaces': malformed }))).toBe('bad-request');
    }
  });

  test('CC-065 to take it over and to join it is refused', () => {
    expect(refusedAs(factoryInvite({ 'Replaces': value, 'Join': value }))).toBe('bad-request');
  });

  test.each(['Replaces', 'Join'])('%s in anything but an INVITE that begins something is refused', (name) => {
    for (const method of ['SUBSCRIBE', 'OPTIONS']) {
      const raw = requestText(`${method} sip:conf-1@conf.example.com SIP/2.0`, { [name]: value });
      expect(as('request-refused', read(raw)).detail).toBe(`${name} in another request than INVITE`);
    }
    for (const method of ['INVITE', 'UPDATE']) {
      const raw = requestText(`${method} sip:conf-1@conf.example.com SIP/2.0`, { 'To': toUs, [name]: value });
      expect(refusedAs(raw, { dialog: sessionDialog })).toBe('bad-request');
    }
  });

  test('on whose behalf it comes is told; what cannot be read names nobody', () => {
    const referredBy = (header: string | string[]) =>
      as('invite-received', read(factoryInvite({ 'Referred-By': header }))).referredBy;
    expect(referredBy('Bob <sip:bob@biloxi.example.com>')).toMatchObject({
      uri: { user: 'bob', host: 'biloxi.example.com' },
      value: 'Bob <sip:bob@biloxi.example.com>',
    });
    expect(referredBy('nobody')).toBeNull();
    expect(referredBy(['<sip:bob@biloxi.example.com>', '<sip:ted@example.net>'])).toBeNull();
  });
});

describe('a session timer (RFC 4028)', () => {
  const timer = (headers: Headers) => as('invite-received', read(factoryInvite(headers))).sessionTimer;

  test.each<[Headers, InviteReceived['sessionTimer']]>([
    [{}, { expires: null, refresher: null, minSe: null }],
    [{ 'Session-Expires': '1800' }, { expires: 1_800, refresher: null, minSe: null }],
    [
      { 'Session-Expires': '600 ; x=1; Refresher = UAC', 'Min-SE': '120;y' },
      { expires: 600, refresher: 'uac', minSe: 120 },
    ],
    [{ 'x': '90;refresher=uas' }, { expires: 90, refresher: 'uas', minSe: null }],
    [{ 'Session-Expires': '90;refresher=both' }, { expires: 90, refresher: null, minSe: null }],
    [
      { 'Session-Expires': 'soon', 'Min-SE': '-1' },
      { expires: null, refresher: null, minSe: null },
    ],
  ])('%j', (headers, expected) => {
    expect(timer(headers)).toEqual(expected);
  });

  test('and who knows it is told by Supported or Require', () => {
    const supports = (headers: Headers) => as('invite-received', read(factoryInvite(headers))).supports;
    expect(supports({ 'Supported': 'Timer, 100rel' })).toEqual(['timer', '100rel', 'recipient-list-invite']);
    expect(supports({ 'Supported': null, 'Require': 'timer' })).toEqual(['timer']);
  });
});
