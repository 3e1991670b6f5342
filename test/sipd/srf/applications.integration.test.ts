/** Applications on unmodified drachtio-srf that come, go and come again; what they see of forks and call records. */
import { connect, createServer, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { waitFor, within } from '../../support/wait.ts';
import { type AppAnswer, type Application, type AppRequest, ask, connectApplication } from '../application.ts';
import { type Peer, tag, value } from '../peer.ts';
import { onStage } from '../stage.ts';

const sdp = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n';
const modes = ['free', 'strict'] as const;

/** A wire to a port that can be cut: to an application a server that drops its connection and comes back. */
async function cuttableWire(to: number) {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(to, '127.0.0.1');
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: address !== null && typeof address === 'object' ? address.port : 0,
    cut: () => {
      for (const socket of sockets) socket.destroy();
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Nobody hears when a route has been taken; a request that comes through shows that those before it have been, too. */
async function routesTaken(application: Application, peer: Peer): Promise<void> {
  application.use('message', (_, response) => response.send(202));
  let asked = 0;
  await waitFor('the routes', async () => {
    asked += 1;
    peer.send(peer.request('MESSAGE', { callId: `route-${asked}` }));
    return (await peer.next('SIP/2.0')).text.startsWith('SIP/2.0 202');
  });
}

describe.each(modes)('a call through a forking proxy (%s)', (mode) => {
  test('createUAC acknowledges the reliable answers of each phone, once each, and gets one dialog', () =>
    onStage(mode, async (stage) => {
      const application = await stage.application();
      const proxy = await stage.peer('proxy', 'udp');
      const heard: string[] = [];
      const calling = application.createUAC(
        proxy.uri,
        { localSdp: sdp, headers: { 'Call-ID': 'forked', 'From': '<sip:c@localhost>;tag=ours' } },
        { cbProvisional: (answer) => heard.push(`${answer.status} ${answer.get('RSeq') ?? ''}`.trim()) },
      );
      const invite = await proxy.next('INVITE ');
      for (const phone of ['desk', 'cell']) {
        for (let round = 0; round < 2; round += 1) {
          const more = ['Require: 100rel', `RSeq: ${phone === 'desk' ? 10 : 20}`];
          proxy.answer(invite, '183 Session Progress', { toTag: phone, more });
        }
        const prack = await proxy.next('PRACK ');
        expect(tag(prack.text, 'To')).toBe(phone);
        expect(prack.text.startsWith(`PRACK ${proxy.uri} SIP/2.0`)).toBe(true);
        expect(value(prack.text, 'RAck')).toBe(`${phone === 'desk' ? 10 : 20} ${value(invite.text, 'CSeq')}`);
        proxy.answer(prack, '200 OK');
      }
      expect(heard).toEqual(['183 10', '183 20']);
      proxy.answer(invite, '200 OK', { toTag: 'desk', body: sdp, more: ['Content-Type: application/sdp'] });
      expect(tag((await proxy.next('ACK ')).text, 'To')).toBe('desk');
      const dialog = await within('the dialog', calling);
      expect(dialog.id).toBe('forked;from-tag=ours');
      proxy.answer(invite, '200 OK', { toTag: 'cell', body: sdp, more: ['Content-Type: application/sdp'] });
      const second = await proxy.next('ACK ');
      expect(tag(second.text, 'To')).toBe(mode === 'free' ? 'cell' : 'desk');
      if (mode === 'free') {
        const bye = await proxy.next('BYE ');
        expect(tag(bye.text, 'To')).toBe('cell');
        proxy.answer(bye, '200 OK');
      }
      const ending = dialog.destroy();
      const bye = await proxy.next('BYE ');
      expect(tag(bye.text, 'To')).toBe('desk');
      proxy.answer(bye, '200 OK');
      await within('the end', ending);
      expect(proxy.received.filter((text) => text.startsWith('PRACK'))).toHaveLength(2);
    }));

  test('UPDATE passes both ways while it rings', () =>
    onStage(mode, async (stage) => {
      const application = await stage.application();
      const bob = await stage.peer('bob', 'udp');
      const answers: AppAnswer[] = [];
      const calling = application.createUAC(
        bob.uri,
        { localSdp: sdp, headers: { 'Call-ID': 'early', 'From': '<sip:c@localhost>;tag=ours' } },
        { cbProvisional: (answer) => answers.push(answer) },
      );
      const failing = expect(calling).rejects.toMatchObject({ status: 486 });
      const invite = await bob.next('INVITE ');
      bob.answer(invite, '180 Ringing', { toTag: 'bob' });
      const { stackDialogId } = await waitFor('180', () => answers.find((answer) => answer.status === 180));
      const updated = ask(application, 'sip:placeholder', { method: 'UPDATE', stackDialogId });
      const update = await bob.next('UPDATE ');
      expect(tag(update.text, 'To')).toBe('bob');
      bob.answer(update, '200 OK');
      expect((await within('the answer', updated)).status).toBe(200);
      const fields = { callId: 'early', fromTag: 'bob', toTag: 'ours', cseq: 1 };
      bob.send(bob.request('UPDATE', fields));
      // createUAC answers it with what it has offered.
      expect((await bob.next('SIP/2.0 200')).text).toContain(sdp);
      bob.answer(invite, '486 Busy Here', { toTag: 'bob' });
      await failing;
      expect(stage.sipd.counts().dialogs).toBe(0);
    }));
});

describe('applications that come and go', () => {
  test.each(modes)('three take turns, one that has gone is passed over (%s)', (mode) =>
    onStage(mode, async (stage) => {
      const taken: number[] = [];
      const applications = await Promise.all([0, 1, 2].map(() => stage.application()));
      for (const [index, application] of applications.entries()) {
        application.use('options', (_, response) => {
          taken.push(index);
          response.send(200);
        });
      }
      const alice = await stage.peer('alice', 'udp');
      for (const application of applications) await routesTaken(application, alice);
      const asks = async (callId: string): Promise<void> => {
        alice.send(alice.request('OPTIONS', { callId }));
        await alice.next('SIP/2.0 200');
      };
      for (const callId of ['a', 'b', 'c', 'd', 'e', 'f']) await asks(callId);
      expect([...taken].sort()).toEqual([0, 0, 1, 1, 2, 2]);
      if (applications[1] !== undefined) stage.leave(applications[1]);
      taken.length = 0;
      // Until the server has noticed, a request may still have been given to the one that goes.
      for (const callId of ['g', 'h', 'i', 'j', 'k', 'l']) await asks(callId);
      expect(new Set(taken)).toEqual(new Set([0, 2]));
    }),
  );

  test('a wrong secret is told, and no route is had by it', () =>
    onStage('free', async (stage) => {
      await expect(connectApplication(stage.sipd.controlPort, 'guess')).rejects.toThrow('failed to authenticate');
      const alice = await stage.peer('alice', 'udp');
      alice.send(alice.request('OPTIONS'));
      await alice.next('SIP/2.0 503');
    }));

  test('a connection that is cut comes back by itself, with its routes, and takes its dialogs over', () =>
    onStage('free', async (stage) => {
      const wire = await cuttableWire(stage.sipd.controlPort);
      let application: Application | undefined;
      try {
        const connected = await connectApplication(wire.port);
        application = connected;
        let dialogId: string | undefined;
        const ended: string[] = [];
        connected.use('subscribe', (_, response) => {
          response.send(200, { headers: { Expires: '60' } }, () => {
            dialogId = response.stackDialogId;
          });
        });
        connected.use('info', (request, response) => {
          ended.push(request.stackDialogId ?? '');
          response.send(200);
        });
        const alice = await stage.peer('alice', 'udp');
        await routesTaken(connected, alice);
        alice.send(alice.request('SUBSCRIBE', { more: ['Event: conference', 'Expires: 60'] }));
        const toTag = tag((await alice.next('SIP/2.0 200')).text, 'To');
        const stackDialogId = await waitFor('the dialog', () => dialogId);
        const back = new Promise<void>((resolve) => connected.on('connect', () => resolve()));
        wire.cut();
        let cseq = 2;
        const refusal = await waitFor('the server to notice', async () => {
          alice.send(alice.request('INFO', { toTag, cseq }));
          cseq += 1;
          const { text } = await alice.next('SIP/2.0 503');
          return text.includes('Retry-After') && text;
        });
        expect(value(refusal, 'Retry-After')).toBe('5');
        await within('the application to come back', back);
        const headers = { 'Event': 'conference', 'Subscription-State': 'active;expires=60' };
        const notified = ask(connected, 'sip:placeholder', { method: 'NOTIFY', stackDialogId, headers });
        alice.answer(await alice.next('NOTIFY '), '200 OK');
        expect((await within('the answer', notified)).status).toBe(200);
        alice.send(alice.request('INFO', { toTag, cseq }));
        await alice.next('SIP/2.0 200');
        expect(ended).toEqual([stackDialogId]);
        alice.send(alice.request('SUBSCRIBE', { callId: 'another', more: ['Event: conference', 'Expires: 60'] }));
        await alice.next('SIP/2.0 200');
      } finally {
        application?.disconnect();
        await wire.close();
      }
    }));

  test('one that goes while calls ring: 503 to those who call, CANCEL to those who are called', () =>
    onStage('free', async (stage) => {
      const application = await stage.application();
      const alice = await stage.peer('alice', 'udp');
      const bob = await stage.peer('bob', 'tcp');
      const seen: AppRequest[] = [];
      application.use('invite', (request, response) => {
        seen.push(request);
        response.send(180);
      });
      alice.send(alice.request('INVITE'));
      await alice.next('SIP/2.0 180');
      void application.createUAC(bob.uri, { localSdp: sdp }).catch(() => undefined);
      const invite = await bob.next('INVITE ');
      bob.answer(invite, '180 Ringing', { toTag: 'bob' });
      await waitFor('the ringing to be known', () => stage.sipd.counts().dialogs === 2);
      stage.leave(application);
      await alice.next('SIP/2.0 503');
      bob.answer(await bob.next('CANCEL '), '200 OK', { toTag: 'bob' });
      bob.answer(invite, '487 Request Terminated', { toTag: 'bob' });
      await bob.next('ACK ');
      expect(stage.sipd.counts()).toMatchObject({ dialogs: 0, calls: 0 });
    }));
});

describe('call records', () => {
  test.each(modes)('srf.on("cdr:…") hears of a call as it begins, starts and stops (%s)', (mode) =>
    onStage(
      mode,
      async (stage) => {
        const application = await stage.application();
        const keeper = await stage.application();
        const records: string[] = [];
        for (const kind of ['attempt', 'start', 'stop']) {
          keeper.on(`cdr:${kind}`, (...values) => {
            const message = values.at(-1) as {
              readonly type: string;
              readonly method: string;
              readonly status: number;
            };
            const [source, time, ...rest] = values.slice(0, -1);
            expect(time).toMatch(/^\d\d:\d\d:\d\d\.\d+$/);
            const what = message.type === 'request' ? message.method : message.status;
            records.push([kind, source, ...rest, what].join(' '));
          });
        }
        application.use('invite', (request, response) => {
          void application.createUAS(request, response, { localSdp: sdp });
        });
        const alice = await stage.peer('alice', 'udp');
        await routesTaken(keeper, alice);
        alice.send(alice.request('INVITE', { body: sdp }));
        const toTag = tag((await alice.next('SIP/2.0 200')).text, 'To');
        alice.send(alice.request('ACK', { toTag }));
        alice.send(alice.request('BYE', { toTag, cseq: 2 }));
        await alice.next('SIP/2.0 200');
        await waitFor('the records', () => records.length === 3);
        expect(records).toEqual([
          'attempt network INVITE',
          'start application uas 200',
          'stop network normal-release BYE',
        ]);
      },
      { cdrs: true },
    ),
  );
});
