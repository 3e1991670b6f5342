/** The tests' own user agents call one another: a judge must be known to be honest before it judges. */
import { describe, expect, test } from 'vitest';
import { header } from '../../src/wire/sip-message.ts';
import type { DialogIds } from './bodies.ts';
import { openCast } from './cast.ts';
import type { Headers } from './sip-dialog.ts';
import type { Transport } from './sip-socket.ts';
import { refusing, ringing, UserAgent } from './user-agent.ts';
import { receivedResponse } from './wire-log.ts';

/** Headers with which a third party asks for a call to be replaced, in the name of `referrer`. */
function replacing(referrer: UserAgent, { callId, toTag, fromTag }: DialogIds): Headers {
  return {
    'Require': 'replaces',
    'Referred-By': `<${referrer.aor}>`,
    'Replaces': `${callId};to-tag=${toTag};from-tag=${fromTag}`,
  };
}

describe.each<Transport>(['udp', 'tcp'])('over %s', (transport) => {
  test('a call is made, confirmed and ended', async () => {
    await using cast = await openCast({ transport });
    const call = await cast.alice.call(cast.bob.address);
    const [atBob] = cast.bob.calls;
    await atBob?.confirmed;
    expect(call.remoteSdp).toContain('m=message');
    expect((await call.bye()).status).toBe(200);
    await atBob?.ended;
    expect((await call.ask('BYE')).status).toBe(481);
  });

  test('CC-058 the to-tag is matched to the local tag: the right order replaces the call, the exchanged order gets 481', async () => {
    await using cast = await openCast({ transport });
    const { alice, bob, ted } = cast;
    const { dialog } = await alice.call(bob.address);
    const { callId, localTag: aliceTag, remoteTag: bobTag } = dialog.facts;
    const right = replacing(alice, { callId, toTag: bobTag, fromTag: aliceTag });

    const exchanged = replacing(alice, { callId, toTag: aliceTag, fromTag: bobTag });
    expect((await ted.invite(bob.address, { headers: exchanged }).final).status).toBe(481);
    expect(dialog.state).toBe('confirmed');

    expect((await ted.invite(bob.address, { headers: right }).final).status).toBe(200);
    await alice.calls[0]?.ended;
    expect(dialog.state).toBe('terminated');

    expect((await ted.invite(bob.address, { headers: right }).final).status, 'RFC 3891 3: it has ended').toBe(603);
  });

  test('who is not named by Referred-By may not replace a call', async () => {
    await using cast = await openCast({ transport });
    const { dialog } = await cast.alice.call(cast.bob.address);
    const { callId, localTag, remoteTag } = dialog.facts;
    const headers = replacing(cast.ted, { callId, toTag: remoteTag, fromTag: localTag });
    expect((await cast.ted.invite(cast.bob.address, { headers }).final).status).toBe(403);
    expect(dialog.state).toBe('confirmed');
  });

  test('a call is refused, and one that only rings is cancelled', async () => {
    await using cast = await openCast({ transport });
    const { alice, bob, log } = cast;
    bob.answers(refusing(486), ringing);
    await expect(alice.call(bob.address)).rejects.toThrow('486 Busy Here');
    const invite = alice.invite(bob.address);
    await log.waitFor('180', receivedResponse('alice', 180, 'INVITE'));
    expect((await invite.cancel()).status).toBe(200);
    expect((await invite.final).status).toBe(487);
  });

  test('a NOTIFY after the last one is told when its subscriber closes; one that was overtaken by the last is none', async () => {
    await using cast = await openCast({ transport });
    const carol = await UserAgent.open({ name: 'carol', transport });
    const watching = { 'Call-ID': 'watching', 'From': `<${carol.aor}>;tag=carol` };
    await carol.subscribe(cast.bob.address, watching).response;
    const notify = async (cseq: number, state: string): Promise<void> => {
      const inIt = { 'Call-ID': 'watching', 'To': `<${carol.aor}>;tag=carol`, 'CSeq': `${cseq} NOTIFY` };
      const headers = { ...inIt, 'Event': 'conference', 'Subscription-State': state };
      expect((await cast.bob.ask('NOTIFY', carol.address, { headers })).status).toBe(200);
    };
    await notify(2, 'terminated;reason=timeout');
    await notify(1, 'active;expires=60');
    expect(carol.transactions.faults).toEqual([]);
    await notify(3, 'active;expires=60');
    await expect(carol.close()).rejects.toThrow('a NOTIFY after the last one\nNOTIFY');
  });

  test('one who does not know Replaces refuses what requires it', async () => {
    await using cast = await openCast({ transport });
    await using carol = await UserAgent.open({ name: 'carol', transport, extensions: [] });
    const headers = replacing(cast.alice, { callId: 'x', toTag: '1', fromTag: '2' });
    const refused = await cast.ted.invite(carol.address, { headers }).final;
    expect(refused.status).toBe(420);
    expect(header(refused, 'Unsupported')).toBe('replaces');
  });
});
