/**
 * linphonec, a client that is not ours, watches a conference. liblinphone 5 needs no setting for it: it subscribes by
 * itself once a Contact has said `isfocus`, with `Last-Notify-Version`, which it leaves at 0 whatever it was told. tshark
 * sees what goes over the wire, and reads it.
 */
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { header, parseSipMessage, type SipMessage, type SipRequest } from '../../src/wire/sip-message.ts';
import type { Call } from '../support/call.ts';
import { Capture, needsCapture } from '../support/capture.ts';
import { rosterLine, type SeenRoster } from '../support/conference-document.ts';
import { focusDomain, home, Kamailio } from '../support/kamailio.ts';
import { rosterOf } from '../support/known-roster.ts';
import { Linphone } from '../support/linphone.ts';
import { freeAddress } from '../support/ports.ts';
import { isInstalled, needsPrograms } from '../support/programs.ts';
import { ReferenceSubscriber } from '../support/reference-subscriber.ts';
import { whenConference } from '../support/rest-view.ts';
import { withSchema } from '../support/schema.ts';
import { Service } from '../support/service.ts';
import { cseqOf } from '../support/sip-dialog.ts';
import { openSipSocket } from '../support/sip-socket.ts';
import { UserAgent } from '../support/user-agent.ts';
import { WaitTimeout, waitFor } from '../support/wait.ts';
import { methodOf } from '../support/wire-log.ts';

const programs = ['kamailio', 'linphonec', 'tshark'] as const;
const factory = `sip:conf-fact@${focusDomain}`;

describe.each(['0', '1'])('with %s s between two NOTIFYs', (interval) => {
  let kamailio: Kamailio;
  let service: Service;
  /** The documents that the phone was told, as they went over the wire. */
  let documents: readonly string[] = [];

  beforeAll(async () => {
    if (!programs.every(isInstalled)) return;
    const address = await freeAddress();
    const core = `sip:${address.host}:${address.port};lr`;
    service = await Service.start({
      AUDIO: 'inactive',
      NOTIFY_MIN_INTERVAL: interval,
      SIP_DOMAINS: focusDomain,
      SIP_CORE: core,
    });
    kamailio = await Kamailio.start({ address, focus: service.banner.sip.udp, transport: 'udp' });
  });
  afterAll(async () => {
    await kamailio?.[Symbol.asyncDispose]();
    await service?.dispose();
  });

  async function open(name: string): Promise<UserAgent> {
    const aor = `sip:${name}@${home}`;
    const agent = await UserAgent.open({ name, aor, transport: 'udp', outbound: kamailio.address });
    onTestFinished(() => agent.close());
    return agent;
  }

  test('it takes every NOTIFY with 200, knows what they tell, and nothing in them is malformed', async (context) => {
    needsPrograms(context, ...programs);
    needsCapture(context);
    const [alice, bob, ted] = [await open('alice'), await open('bob'), await open('ted')];
    await using phone = await Linphone.start(kamailio);
    const call = await alice.call(factory, { headers: { 'Subject': 'Green' } });
    const { id, uri } = await whenConference(service, call.dialog.remoteTarget, ({ status }) => status === 'active');
    const change = async (what: object): Promise<number> => (await service.patch(`/conferences/${id}`, what)).status;

    await using capture = await Capture.start(phone.address);
    phone.type(`call ${uri}`);
    await knows(phone, 'alice connected, linphone connected');
    const bobsCall = await bob.call(uri);
    await knows(phone, 'alice connected, linphone connected, bob connected');
    expect(await offer(bobsCall, `${bob.media.offer()}a=inactive\r\n`)).toBe(200);
    await knows(phone, 'alice connected, linphone connected, bob on-hold');
    expect(await change({ subject: 'Q & <A>' })).toBe(200);
    await knows(phone, ({ subject }) => subject === 'Q & <A>');
    const [tedsCall, back] = await Promise.all([ted.call(uri), offer(bobsCall, bob.media.offer())]);
    expect(back).toBe(200);
    await knows(phone, 'alice connected, linphone connected, bob connected, ted connected');
    expect(await change({ locked: true })).toBe(200);
    await knows(phone, ({ locked }) => locked === 'true');
    const [opened, { status: left }] = await Promise.all([change({ locked: false }), bobsCall.bye()]);
    expect([opened, left]).toEqual([200, 200]);
    await knows(phone, 'alice connected, linphone connected, bob disconnected, ted connected');
    expect((await tedsCall.bye()).status).toBe(200);
    await knows(phone, 'alice connected, linphone connected, bob disconnected, ted disconnected');
    await knows(phone, ({ userCount, locked }) => userCount === 2 && locked === 'false');
    expect(await change({ subject: 'Grün' })).toBe(200);
    // Its log breaks off where the first octet comes that is not ASCII.
    await phone.logged('<subject>Gr...');
    await answersAll(phone);
    phone.type('terminate');
    await phone.logged('Subscription-State: terminated;reason=timeout');
    await answersAll(phone);
    expect((await call.bye()).status).toBe(200);
    await capture.stop();

    const { subscribes, notifies, answers } = seen(capture);
    const asked = subscribes.map((each) =>
      ['Event', 'Last-Notify-Version', 'Expires'].map((name) => header(each, name)),
    );
    expect(asked).toEqual([
      ['conference', '0', '600'],
      ['conference', '0', '0'],
    ]);
    const watched = notifies.filter(({ hungUp }) => !hungUp).map(({ notify }) => notify);
    expect(watched.length).toBeGreaterThanOrEqual(9);
    expect(watched.map((notify) => answers.get(cseqOf(notify)))).toEqual(watched.map(() => 200));
    documents = notifies.map(({ notify }) => notify.body).filter((body) => body !== '');
    expect(documents.length).toBeGreaterThan(watched.length);
    const subscriber = subscriberOf(phone);
    const read = documents.map((document) => subscriber.receive(document));
    expect(read.flatMap(({ faults }) => faults)).toEqual([]);
    expect(read.map(({ outcome }) => outcome)).toContain('partial');
    // It takes them for XML, and so would have seen where they are none.
    expect(capture.dissect('sip.Method == "NOTIFY" && sip.msg_body && !xml', 'frame.number')).toEqual([]);
    expect(capture.complaints()).toEqual([]);
  });

  test('CC-110 each of these documents fits the schema', (context) => {
    needsPrograms(context, ...programs);
    needsCapture(context);
    expect(documents).not.toEqual([]);
    withSchema(context, 'conference-info.xsd', (judge) => documents.forEach(judge));
  });
});

test('tshark sees what is wrong with a NOTIFY', async (context) => {
  needsPrograms(context, 'tshark');
  needsCapture(context);
  const [sender, receiver] = [await openSipSocket('udp', () => {}), await openSipSocket('udp', () => {})];
  onTestFinished(async () => {
    await Promise.all([sender.close(), receiver.close()]);
  });
  const notify = (body: string): string =>
    [
      ...['NOTIFY sip:phone@127.0.0.1 SIP/2.0', 'Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1', 'Max-Forwards: 70'],
      ...['To: <sip:phone@127.0.0.1>;tag=1', 'From: <sip:focus@127.0.0.1>;tag=2', 'Call-ID: 1', 'CSeq: 1 NOTIFY'],
      ...['Event: conference', 'Subscription-State: active', 'Contact: <sip:focus@127.0.0.1>'],
      ...['Content-Type: application/conference-info+xml', `Content-Length: ${body.length}`, '', body],
    ].join('\r\n');
  const document = '<?xml version="1.0"?><conference-info><users/></conference-info>';
  await using capture = await Capture.start(receiver.address);
  for (const body of [document, `${document}</users>`, document.replace('<users/>', '< & <')])
    sender.send(notify(body), receiver.address);
  await capture.stop();
  const [, second, third] = capture.dissect('sip', 'frame.number').flat();
  expect(capture.complaints().map(([frame]) => frame)).toEqual([second, third]);
});

/** It says of every subscription that it has version 0, and so the first document is 1. */
function subscriberOf(phone: Linphone): ReferenceSubscriber {
  return new ReferenceSubscriber(phone.aor, { lastNotifyVersion: 0, earlier: [] });
}

/** What the phone has been told so far, as its log has it. */
async function toldTo(phone: Linphone): Promise<SeenRoster | null> {
  const documents = (await phone.log()).match(/<\?xml(?:(?!<\?xml).)*?<\/conference-info>/gs) ?? [];
  const subscriber = subscriberOf(phone);
  for (const xml of documents) subscriber.receive(xml);
  return subscriber.roster === null ? null : rosterOf(subscriber.roster, documents.length);
}

/** Waits until the phone knows a conference of which `holds` is true, or whose `rosterLine` it is. */
async function knows(phone: Linphone, holds: string | ((roster: SeenRoster) => boolean)): Promise<void> {
  const isSo = async (): Promise<boolean> => {
    const roster = await toldTo(phone);
    if (roster === null) return false;
    return typeof holds === 'string' ? rosterLine(roster) === holds : holds(roster);
  };
  try {
    await waitFor(`the phone to know ${holds}`, isSo);
  } catch (error) {
    if (!(error instanceof WaitTimeout)) throw error;
    throw new WaitTimeout(`${error.message}; it knows: ${JSON.stringify(await toldTo(phone))}`);
  }
}

/** Waits until the phone has answered all NOTIFYs that it has. */
async function answersAll(phone: Linphone): Promise<void> {
  await waitFor('its answers', async () => {
    const received = (await phone.log()).match(/^NOTIFY sip:/gm) ?? [];
    return (await phone.statuses('NOTIFY')).length >= received.length;
  });
}

async function offer(call: Call, body: string): Promise<number> {
  return (await call.ask('UPDATE', { headers: { 'Content-Type': 'application/sdp' }, body })).status;
}

type Seen = {
  readonly subscribes: readonly SipRequest[];
  /** Each once, in the order in which they first went, and whether the phone had hung up: then it knows of nothing. */
  readonly notifies: readonly { readonly notify: SipRequest; readonly hungUp: boolean }[];
  /** Status by the CSeq number of the NOTIFY. */
  readonly answers: ReadonlyMap<number, number>;
};

/** What went between the phone and its proxy. */
function seen(capture: Capture): Seen {
  const messages = capture.dissect('sip', 'udp.payload').map(([hex = '']) => read(hex));
  const bye = messages.findIndex((message) => methodOf(message) === 'BYE');
  const requests = (method: string, among: readonly SipMessage[] = messages): readonly SipRequest[] => {
    const all = among.flatMap((message) => (message.kind === 'request' && message.method === method ? message : []));
    return [...new Map(all.map((request) => [cseqOf(request), request])).values()];
  };
  const before = requests('NOTIFY', messages.slice(0, bye)).length;
  const answers = messages.flatMap((message) =>
    message.kind === 'response' && methodOf(message) === 'NOTIFY' ? [[cseqOf(message), message.status] as const] : [],
  );
  return {
    subscribes: requests('SUBSCRIBE'),
    notifies: requests('NOTIFY').map((notify, index) => ({ notify, hungUp: index >= before })),
    answers: new Map(answers),
  };
}

function read(hex: string): SipMessage {
  return parseSipMessage(Buffer.from(hex, 'hex').toString('utf8'));
}
