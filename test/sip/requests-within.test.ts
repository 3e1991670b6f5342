/** Requests within dialogs, and those that belong to none or to no method that is served. */
import { describe, expect, test } from 'vitest';
import { answerIn } from '../../src/sip/readers/body.ts';
import { parseSipMessage } from '../../src/wire/sip-message.ts';
import { boundary, multipart } from '../support/bodies.ts';
import { as, read, refusedAs, sessionDialog, subscriptionDialog, toUs } from './reading.ts';
import { factoryInvite, type Headers, offer, requestText, subscribe } from './sip-texts.ts';

describe('within a session', () => {
  test('an INVITE is a re-INVITE of its endpoint', () => {
    const raw = factoryInvite({ 'To': toUs, 'Require': null, 'Content-Type': 'application/sdp' }, offer);
    const input = as('reinvite-received', read(raw, { dialog: sessionDialog }));
    expect(input).toMatchObject({ endpointId: 'endpoint-1', carriesList: false, dialogId: sessionDialog.id });
    expect(input.offer?.media).toHaveLength(1);
  });

  test('an UPDATE is another such offer, or none', () => {
    const update = (headers: Headers, body?: string) =>
      requestText('UPDATE sip:conf-1@conf.example.com SIP/2.0', { 'To': toUs, ...headers }, body);
    const offering = update({ 'Content-Type': 'application/sdp', 'Session-Expires': '600;refresher=uac' }, offer);
    expect(as('reinvite-received', read(offering, { dialog: sessionDialog }))).toMatchObject({
      method: 'UPDATE',
      endpointId: 'endpoint-1',
      offer: { media: [{ media: 'message' }] },
      sessionTimer: { expires: 600, refresher: 'uac' },
    });
    expect(as('reinvite-received', read(update({}), { dialog: sessionDialog })).offer).toBeNull();
  });

  test.each([
    { before: 'INVITE', method: 'INVITE', body: offer, overlaps: true },
    { before: 'INVITE', method: 'UPDATE', body: offer, overlaps: true },
    { before: 'INVITE', method: 'UPDATE', body: '', overlaps: false },
    { before: 'UPDATE', method: 'INVITE', body: '', overlaps: true },
    { before: 'UPDATE', method: 'UPDATE', body: '', overlaps: true },
    { before: 'OPTIONS', method: 'INVITE', body: offer, overlaps: false },
  ])('while an $before of the peer waits, its $method overlaps or not: $overlaps', (story) => {
    const { before, method, body, overlaps } = story;
    const type = body === '' ? {} : { 'Content-Type': 'application/sdp' };
    const raw = requestText(`${method} sip:conf-1@conf.example.com SIP/2.0`, { 'To': toUs, ...type }, body);
    const input = as('reinvite-received', read(raw, { dialog: sessionDialog, unanswered: [before] }));
    expect(input.overlaps).toBe(overlaps);
  });

  test('a list or its option is told', () => {
    const carries = (raw: string) => as('reinvite-received', read(raw, { dialog: sessionDialog })).carriesList;
    expect(carries(factoryInvite({ 'To': toUs }))).toBe(true);
    expect(carries(factoryInvite({ 'To': toUs, 'Content-Type': 'application/sdp' }, offer))).toBe(true);
  });

  test('a SUBSCRIBE asks for a subscription that shares the dialog', () => {
    const input = as('subscribe-received', read(subscribe({ 'To': toUs }), { dialog: sessionDialog }));
    expect(input.dialogId).toBe(sessionDialog.id);
  });

  test('OPTIONS is answered as outside', () => {
    const raw = requestText('OPTIONS sip:conf-1@conf.example.com SIP/2.0', { 'To': toUs });
    expect(read(raw, { dialog: sessionDialog }).type).toBe('options-received');
  });

  test('an INVITE in a session that is being ended, or in a subscription, belongs to nothing', () => {
    const raw = factoryInvite({ 'To': toUs });
    const ending = {
      ...sessionDialog,
      session: { endpointId: 'endpoint-1', ackAwaited: null, confirmed: true, ending: true },
    };
    expect(refusedAs(raw, { dialog: ending })).toBe('no-such-dialog');
    expect(refusedAs(raw, { dialog: subscriptionDialog })).toBe('no-such-dialog');
  });
});

describe('a SUBSCRIBE', () => {
  test('M-10 names event and expiry', () => {
    expect(as('subscribe-received', read(subscribe()))).toMatchObject({
      event: 'conference',
      expires: 3_600,
      accepts: ['application/conference-info+xml'],
      dialogId: 'sub-a11ce-01;from-tag=a11ce5ub',
    });
  });

  test('absent Event and Expires are null, and so is an Expires that is no number', () => {
    const absent = read(subscribe({ 'Event': null, 'Expires': null }));
    expect(as('subscribe-received', absent)).toMatchObject({ event: null, expires: null });
    expect(as('subscribe-received', read(subscribe({ 'Expires': '4294967296' }))).expires).toBeNull();
  });

  test('the compact Event and its parameters', () => {
    expect(as('subscribe-received', read(subscribe({ 'Event': null, 'o': 'presence;id=7' }))).event).toBe('presence');
  });

  test('a body is refused, an unreadable Event too', () => {
    expect(refusedAs(subscribe({ 'Content-Type': 'application/simple-filter+xml' }, '<x/>'))).toBe('unsupported-body');
    expect(refusedAs(subscribe({ 'Event': '@@' }))).toBe('bad-event');
  });

  test('in its dialog it refreshes the subscription, until that ends', () => {
    const raw = subscribe({ 'To': '<sip:conf-1@conf.example.com>;tag=5b5c0f', 'Expires': '0' });
    const refreshed = as('subscription-refreshed', read(raw, { dialog: subscriptionDialog }));
    expect(refreshed).toMatchObject({ subscriptionId: 'subscription-1', event: 'conference', expires: 0 });
    const ended = { ...subscriptionDialog, subscription: { subscriptionId: 'subscription-1', ending: true } };
    expect(refusedAs(raw, { dialog: ended })).toBe('no-such-dialog');
  });
});

describe('what belongs to no dialog of ours, or is not served', () => {
  test('CC-202 an unknown dialog is 481 for every method, an unknown method 405', () => {
    for (const method of ['INVITE', 'SUBSCRIBE', 'OPTIONS', 'BYE', 'NOTIFY', 'INFO', 'REFER', 'FOO']) {
      const raw = requestText(`${method} sip:conf-1@conf.example.com SIP/2.0`, { 'To': toUs });
      expect(refusedAs(raw)).toBe('no-such-dialog');
    }
    expect(refusedAs(requestText('BYE sip:conf-1@conf.example.com SIP/2.0'))).toBe('no-such-dialog');
    for (const method of ['REGISTER', 'MESSAGE', 'PUBLISH', 'INFO', 'FOO']) {
      const raw = requestText(`${method} sip:conf-1@conf.example.com SIP/2.0`);
      expect(refusedAs(raw)).toBe('method-not-allowed');
      expect(refusedAs(raw, { dialog: sessionDialog })).toBe('method-not-allowed');
    }
  });

  test('a PRACK or NOTIFY belongs to nothing of ours, nor does an UPDATE outside a session', () => {
    const text = (method: string): string => requestText(`${method} sip:conf-1@conf.example.com SIP/2.0`);
    for (const method of ['PRACK', 'NOTIFY']) {
      expect(refusedAs(text(method))).toBe('no-such-dialog');
      expect(refusedAs(text(method), { dialog: sessionDialog })).toBe('no-such-dialog');
    }
    expect(refusedAs(text('UPDATE'))).toBe('no-such-dialog');
    expect(refusedAs(text('UPDATE'), { dialog: subscriptionDialog })).toBe('no-such-dialog');
  });

  test('QK-13 an INVITE with a To tag that is not ours is 481, and told as such', () => {
    const input = as('request-refused', read(factoryInvite({ 'To': 'Bob <sip:bob@biloxi.com>;tag=2837302775' })));
    expect(input).toMatchObject({ code: 'no-such-dialog', quirks: ['QK-13'] });
    const bye = requestText('BYE sip:conf-1@conf.example.com SIP/2.0', { 'To': toUs });
    expect(as('request-refused', read(bye)).quirks).toEqual([]);
  });

  test('a method named like something of the language is unknown too', () => {
    expect(refusedAs(requestText('constructor sip:conf-1@conf.example.com SIP/2.0'))).toBe('method-not-allowed');
  });
});

describe('the answer in an ACK or a response', () => {
  const ack = (headers: Record<string, string>, body: string) =>
    answerIn(parseSipMessage(requestText('ACK sip:conf-1@conf.example.com SIP/2.0', headers, body)), true);

  test('is read from a description, also within a multipart', () => {
    expect(ack({ 'Content-Type': 'application/sdp' }, offer)).toMatchObject({ media: [{ media: 'message' }] });
    const body = multipart([{ type: 'application/sdp', text: offer }]);
    const type = `multipart/mixed;boundary="${boundary}"`;
    expect(ack({ 'Content-Type': type }, body)).toMatchObject({ media: [{ media: 'message' }] });
  });

  test('is null without a body, unreadable when it makes no sense', () => {
    expect(ack({}, '')).toBeNull();
    expect(ack({ 'Content-Type': 'application/sdp' }, 'nonsense')).toBe('unreadable');
    expect(ack({ 'Content-Type': 'text/plain' }, offer)).toBe('unreadable');
  });
});
