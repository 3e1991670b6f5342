import { describe, expect, test } from 'vitest';
import { headerOf, StackWorld, steps, toTagOf } from '../stack-world.ts';

const dialogId = 'call-alice;from-tag=alice';
const ours = 'v=0\r\no=- 1 1 IN IP4 10.0.0.9\r\ns=ours\r\nt=0 0\r\n';
const asked = ['Supported: timer', 'Session-Expires: 120;refresher=uas'];

/** Alice's call, whose session we refresh: by INVITE, or by UPDATE if she takes it. */
function called(allow: readonly string[] = []) {
  const world = new StackWorld('free');
  const alice = world.peer('alice');
  const app = world.application(1, 'invite', 'update');
  world.asks(alice, 'INVITE', { more: [...asked, ...allow] });
  const { transactionId } = world.lastEvent(app);
  world.say(app, `sip|${transactionId}|`, `SIP/2.0 200 OK\r\n\r\n${ours}`);
  const toTag = toTagOf(world.lastSent('SIP/2.0 200'));
  world.asks(alice, 'ACK', { toTag });
  world.ladder.length = 0;
  return { world, alice, app, toTag };
}

/** The same with our refresh under way. */
function refreshing() {
  const open = called();
  open.world.pass(61_000);
  open.world.ladder.length = 0;
  return { ...open, refresh: open.world.lastSent('INVITE') };
}

describe('while a refresh of the server waits for its answer', () => {
  test('RFC 3261 14.2: an INVITE of the peer gets 491, which the application could not know to give', () => {
    const { world, alice, refresh, toTag } = refreshing();
    world.asks(alice, 'INVITE', { toTag, cseq: 2, branch: 'z9hG4bK-glare' });
    world.asks(alice, 'ACK', { toTag, cseq: 2, branch: 'z9hG4bK-glare' });
    world.answers(alice, refresh, { status: '200 OK', more: asked });
    world.asks(alice, 'INVITE', { toTag, cseq: 3 });
    expect(world.ladder).toEqual(
      steps(`
        61000 alice -> sipd : INVITE
        61000 sipd -> alice : 491 INVITE
        61000 alice -> sipd : ACK
        61000 alice -> sipd : 200 INVITE
        61000 sipd -> alice : ACK
        61000 alice -> sipd : INVITE
        61000 sipd -> app1 : event INVITE in ${dialogId}`),
    );
  });

  test('RFC 3311 5.2: an UPDATE of the peer that offers gets 491, one that offers nothing is handed up', () => {
    const { world, alice, toTag } = refreshing();
    world.asks(alice, 'UPDATE', { toTag, cseq: 2, body: ours, more: ['Content-Type: application/sdp'] });
    expect(world.ladder.at(-1)).toBe('61000 sipd -> alice : 491 UPDATE');
    world.asks(alice, 'UPDATE', { toTag, cseq: 3 });
    expect(world.ladder.at(-1)).toBe(`61000 sipd -> app1 : event UPDATE in ${dialogId}`);
  });

  test('RFC 3261 14.1: an INVITE of the application waits for it, other requests do not', () => {
    const { world, alice, app, refresh } = refreshing();
    world.appAsks(app, 'INVITE sip:placeholder', { dialogId });
    world.appAsks(app, 'INFO sip:placeholder', { dialogId });
    world.answers(alice, refresh, { status: '200 OK', more: asked });
    expect(world.ladder).toEqual(
      steps(`
        61000 app1 -> sipd : INVITE
        61000 app1 -> sipd : INFO
        61000 sipd -> app1 : OK
        61000 sipd -> alice : INFO
        61000 alice -> sipd : 200 INVITE
        61000 sipd -> alice : ACK
        61000 sipd -> app1 : OK
        61000 sipd -> alice : INVITE`),
    );
    expect(Number(headerOf(world.lastSent('INVITE'), 'CSeq').split(' ')[0])).toBe(
      Number(headerOf(refresh, 'CSeq').split(' ')[0]) + 2,
    );
  });

  test('one that waits is told when the call ends first, and forgotten when its application goes', () => {
    const ended = refreshing();
    ended.world.appAsks(1, 'INVITE sip:placeholder', { dialogId });
    ended.world.answers(ended.alice, ended.refresh, '481 Gone');
    expect(ended.world.ladder.at(-1)).toContain('unable to find dialog');
    const gone = refreshing();
    gone.world.appAsks(1, 'INVITE sip:placeholder', { dialogId });
    gone.world.input({ kind: 'session-closed', session: 1 });
    gone.world.answers(gone.alice, gone.refresh, '200 OK');
    expect(gone.world.ladder.slice(1)).toEqual(
      steps(`
        61000 alice -> sipd : 200 INVITE
        61000 sipd -> alice : ACK`),
    );
  });
});

describe('a call that ends while a refresh is under way does not come to life by its answer', () => {
  test('a refresh of the server', () => {
    const { world, alice, app, toTag } = called(['Allow: UPDATE']);
    world.pass(61_000);
    const update = world.lastSent('UPDATE');
    world.asks(alice, 'BYE', { toTag, cseq: 2 });
    world.appAnswers(app, '200 OK');
    world.answers(alice, update, { status: '200 OK', more: ['Session-Expires: 120;refresher=uac'] });
    world.ladder.length = 0;
    world.pass(300_000);
    expect(world.ladder).toEqual([]);
    expect(world.stack.counts()).toMatchObject({ dialogs: 0, timers: 0 });
  });

  test('a re-INVITE of the application', () => {
    const { world, alice, app, toTag } = called();
    world.appAsks(app, 'INVITE sip:placeholder', { dialogId, headers: ['Session-Expires: 120'] });
    const invite = world.lastSent('INVITE');
    world.asks(alice, 'BYE', { toTag, cseq: 2 });
    world.appAnswers(app, '200 OK');
    world.answers(alice, invite, { status: '200 OK', more: ['Session-Expires: 120;refresher=uac'] });
    world.ladder.length = 0;
    world.pass(300_000);
    expect(world.ladder).toEqual([]);
  });
});
