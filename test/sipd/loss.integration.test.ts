/**
 * Each datagram of an exchange is lost once, and the whole ladder says who sends what again: RFC 3261 17 and 13.3.1.4.
 * A story is played whole for each of its messages.
 */
import { describe, expect, test } from 'vitest';
import type { SipdMode } from '../../src/sipd/daemon-ways.ts';
import { type Direction, LossyRelay, losingFirst } from '../support/lossy-relay.ts';
import type { Address } from '../support/sip-socket.ts';
import { UserAgent } from '../support/user-agent.ts';
import { waitFor, within } from '../support/wait.ts';
import {
  type AppAnswer,
  type AppDialog,
  type Application,
  type AppRequest,
  type AppResponse,
  ask,
} from './application.ts';
import { onStage } from './stage.ts';

const sdp = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n';
const t1Ms = 500;

/** Who is on stage: an application on sipd, and a user agent behind a network that loses one datagram. */
type Players = { readonly application: Application; readonly agent: UserAgent; readonly relay: LossyRelay };

type Message = {
  readonly direction: Direction;
  readonly what: string;
  /** What is sent after this one was lost that would not be sent else, in order. */
  readonly again: readonly string[];
  /** Whether that comes after everything else. */
  readonly late?: boolean;
};

type Story = {
  readonly name: string;
  readonly messages: readonly Message[];
  readonly play: (players: Players, server: Address) => Promise<void>;
};

const toServer = (what: string, ...again: string[]): Message => ({ direction: 'to-server', what, again });
const fromServer = (what: string, ...again: string[]): Message => ({ direction: 'from-server', what, again });

const focus = ({ host, port }: Address): string => `sip:focus@${host}:${port}`;

/** The INVITE that comes, for the story to answer. */
function nextInvite(application: Application): Promise<{ request: AppRequest; response: AppResponse }> {
  return new Promise((resolve) => {
    application.use('invite', (request, response) => resolve({ request, response }));
  });
}

/** Waits until a message of this kind has got through. */
async function arrived(relay: LossyRelay, direction: Direction, what: string): Promise<void> {
  await waitFor(`${what} to get through`, () =>
    relay.passed.some((each) => !each.lost && each.direction === direction && each.what === what),
  );
}

type Taken = Pick<Players, 'application' | 'relay'> & {
  readonly invite: ReturnType<UserAgent['invite']>;
  readonly request: AppRequest;
  readonly response: AppResponse;
};

/** The application takes the call; the caller, who has heard so, hangs up. */
async function takeAndEnd({ application, relay, invite, request, response }: Taken): Promise<void> {
  const dialog = await application.createUAS(request, response, { localSdp: sdp });
  const ended = new Promise<void>((resolve) => dialog.on('destroy', () => resolve()));
  const call = await invite.established();
  await arrived(relay, 'to-server', 'ACK');
  expect((await call.bye()).status).toBe(200);
  await within('the end of the dialog', ended);
}

const stories: readonly Story[] = [
  {
    name: 'a call that comes in',
    messages: [
      toServer('INVITE', 'INVITE'),
      fromServer('100 INVITE', 'INVITE', '100 INVITE'),
      // RFC 3261 13.3.1.1: nobody repeats a 180 that no PRACK is asked for.
      fromServer('180 INVITE'),
      fromServer('200 INVITE', '200 INVITE'),
      toServer('ACK', '200 INVITE', 'ACK'),
      toServer('BYE', 'BYE'),
      fromServer('200 BYE', 'BYE', '200 BYE'),
    ],
    play: async ({ application, agent, relay }, server) => {
      const invited = nextInvite(application);
      const invite = agent.invite(focus(server));
      const { request, response } = await invited;
      await arrived(relay, 'from-server', '100 INVITE');
      response.send(180);
      await relay.seen('from-server', '180 INVITE');
      await takeAndEnd({ application, relay, invite, request, response });
    },
  },
  {
    name: 'a call that comes in and is refused',
    messages: [
      toServer('INVITE', 'INVITE'),
      fromServer('100 INVITE', 'INVITE', '100 INVITE'),
      fromServer('486 INVITE', '486 INVITE'),
      toServer('ACK', '486 INVITE', 'ACK'),
    ],
    play: async ({ application, agent, relay }, server) => {
      const invited = nextInvite(application);
      const invite = agent.invite(focus(server));
      const { response } = await invited;
      await arrived(relay, 'from-server', '100 INVITE');
      response.send(486);
      expect((await invite.final).status).toBe(486);
      await arrived(relay, 'to-server', 'ACK');
    },
  },
  {
    name: 'a call that comes in and is cancelled',
    messages: [
      toServer('INVITE', 'INVITE'),
      fromServer('100 INVITE', 'INVITE', '100 INVITE'),
      fromServer('180 INVITE'),
      toServer('CANCEL', 'CANCEL'),
      // The 487 does not wait for it, nor does the ACK.
      { ...fromServer('200 CANCEL', 'CANCEL', '200 CANCEL'), late: true },
      fromServer('487 INVITE', '487 INVITE'),
      toServer('ACK', '487 INVITE', 'ACK'),
    ],
    play: async ({ application, agent, relay }, server) => {
      const invited = nextInvite(application);
      const invite = agent.invite(focus(server));
      const { response } = await invited;
      await arrived(relay, 'from-server', '100 INVITE');
      response.send(180);
      await relay.seen('from-server', '180 INVITE');
      await invite.cancel();
      expect((await invite.final).status).toBe(487);
      await arrived(relay, 'to-server', 'ACK');
    },
  },
  {
    name: 'a subscription that is asked for',
    messages: [
      toServer('SUBSCRIBE', 'SUBSCRIBE'),
      fromServer('200 SUBSCRIBE', 'SUBSCRIBE', '200 SUBSCRIBE'),
      fromServer('NOTIFY', 'NOTIFY'),
      toServer('200 NOTIFY', 'NOTIFY', '200 NOTIFY'),
    ],
    play: async ({ application, agent }, server) => {
      const subscribed = new Promise<string>((resolve) => {
        application.use('subscribe', (_, response) => {
          const headers = { Contact: '<sip:conf1@localhost>', Expires: '60' };
          response.send(200, { headers }, () => resolve(response.stackDialogId ?? ''));
        });
      });
      const subscription = agent.subscribe(focus(server));
      expect((await subscription.response).status).toBe(200);
      const stackDialogId = await subscribed;
      const headers = { 'Event': 'conference', 'Subscription-State': 'terminated;reason=noresource' };
      const answer = await ask(application, 'sip:nobody', { method: 'NOTIFY', stackDialogId, headers });
      expect(answer.status).toBe(200);
      expect(subscription.notifies).toHaveLength(1);
    },
  },
  {
    name: 'a call that goes out',
    messages: [
      fromServer('INVITE', 'INVITE'),
      toServer('100 INVITE', 'INVITE', '100 INVITE'),
      toServer('180 INVITE'),
      toServer('200 INVITE', '200 INVITE'),
      fromServer('ACK', '200 INVITE', 'ACK'),
      fromServer('BYE', 'BYE'),
      toServer('200 BYE', 'BYE', '200 BYE'),
    ],
    play: async ({ application, agent, relay }) => {
      agent.answers((invite) => invite.respond(100));
      const calling = application.createUAC(agent.address, { localSdp: sdp });
      await arrived(relay, 'to-server', '100 INVITE');
      const [invite] = agent.incoming;
      invite?.respond(180);
      await relay.seen('to-server', '180 INVITE');
      const call = invite?.accept();
      const dialog: AppDialog = await within('the dialog', calling);
      await call?.confirmed;
      await within('the end of the dialog', dialog.destroy());
      await call?.ended;
    },
  },
  {
    name: 'a call that goes out and is refused',
    messages: [
      fromServer('INVITE', 'INVITE'),
      toServer('100 INVITE', 'INVITE', '100 INVITE'),
      toServer('486 INVITE', '486 INVITE'),
      fromServer('ACK', '486 INVITE', 'ACK'),
    ],
    play: async ({ application, agent, relay }) => {
      agent.answers((invite) => invite.respond(100));
      const refused = expect(application.createUAC(agent.address, { localSdp: sdp })).rejects.toMatchObject({
        status: 486,
      });
      await arrived(relay, 'to-server', '100 INVITE');
      agent.incoming[0]?.respond(486);
      await refused;
      await arrived(relay, 'from-server', 'ACK');
    },
  },
  {
    name: 'a call that goes out and is cancelled',
    messages: [
      fromServer('INVITE', 'INVITE'),
      toServer('100 INVITE', 'INVITE', '100 INVITE'),
      fromServer('CANCEL', 'CANCEL'),
      { ...toServer('200 CANCEL', 'CANCEL', '200 CANCEL'), late: true },
      toServer('487 INVITE', '487 INVITE'),
      fromServer('ACK', '487 INVITE', 'ACK'),
    ],
    play: async ({ application, agent, relay }) => {
      agent.answers((invite) => invite.respond(100));
      let sent: AppRequest | undefined;
      const cbRequest = (_: unknown, request: AppRequest): void => {
        sent = request;
      };
      const calling = application.createUAC(agent.address, { localSdp: sdp }, { cbRequest });
      const refused = expect(calling).rejects.toMatchObject({ status: 487 });
      await arrived(relay, 'to-server', '100 INVITE');
      sent?.cancel(() => undefined);
      await refused;
      await arrived(relay, 'from-server', 'ACK');
      await arrived(relay, 'to-server', '200 CANCEL');
    },
  },
  {
    name: 'a call that comes in, rings reliably and is changed meanwhile',
    messages: [
      toServer('INVITE', 'INVITE'),
      fromServer('100 INVITE', 'INVITE', '100 INVITE'),
      // RFC 3262 3: it is repeated until its PRACK has come.
      fromServer('183 INVITE', '183 INVITE'),
      toServer('PRACK', '183 INVITE', 'PRACK'),
      fromServer('200 PRACK', 'PRACK', '200 PRACK'),
      toServer('UPDATE', 'UPDATE'),
      fromServer('200 UPDATE', 'UPDATE', '200 UPDATE'),
      fromServer('200 INVITE', '200 INVITE'),
      toServer('ACK', '200 INVITE', 'ACK'),
      toServer('BYE', 'BYE'),
      fromServer('200 BYE', 'BYE', '200 BYE'),
    ],
    play: async ({ application, agent, relay }, server) => {
      const invited = nextInvite(application);
      const invite = agent.invite(focus(server), { headers: { Supported: '100rel' } });
      const { request, response } = await invited;
      request.on('update', (_, second) => (second as unknown as AppResponse).send(200));
      await arrived(relay, 'from-server', '100 INVITE');
      response.send(183, { headers: { Require: '100rel' } });
      await arrived(relay, 'from-server', '183 INVITE');
      const early = await waitFor('the early dialog', () => invite.early);
      const [progress] = relay.passed.filter(({ what }) => what === '183 INVITE');
      const rack = `${/^RSeq: *(\d+)/im.exec(progress?.text ?? '')?.[1]} 1 INVITE`;
      expect((await agent.askIn(early, 'PRACK', { headers: { RAck: rack } })).status).toBe(200);
      expect((await agent.askIn(early, 'UPDATE')).status).toBe(200);
      await takeAndEnd({ application, relay, invite, request, response });
    },
  },
  {
    name: 'a call that goes out, rings reliably and is changed meanwhile',
    messages: [
      fromServer('INVITE', 'INVITE'),
      toServer('100 INVITE', 'INVITE', '100 INVITE'),
      toServer('183 INVITE', '183 INVITE'),
      fromServer('PRACK', '183 INVITE', 'PRACK'),
      toServer('200 PRACK', 'PRACK', '200 PRACK'),
      fromServer('UPDATE', 'UPDATE'),
      toServer('200 UPDATE', 'UPDATE', '200 UPDATE'),
      toServer('200 INVITE', '200 INVITE'),
      fromServer('ACK', '200 INVITE', 'ACK'),
      fromServer('BYE', 'BYE'),
      toServer('200 BYE', 'BYE', '200 BYE'),
    ],
    play: async ({ application, agent, relay }) => {
      agent.answers((invite) => invite.respond(100));
      let progress: AppAnswer | undefined;
      const cbProvisional = (answer: AppAnswer): void => {
        if (answer.status === 183) progress = answer;
      };
      const headers = { Supported: '100rel' };
      const calling = application.createUAC(agent.address, { localSdp: sdp, headers }, { cbProvisional });
      await arrived(relay, 'to-server', '100 INVITE');
      const [invite] = agent.incoming;
      invite?.respond(183, { Require: '100rel', RSeq: '17' });
      // The library sends the PRACK by itself, and does not tell of its answer.
      await arrived(relay, 'to-server', '200 PRACK');
      const { stackDialogId } = await waitFor('183', () => progress);
      const changed = await ask(application, 'sip:nobody', { method: 'UPDATE', stackDialogId });
      expect(changed.status).toBe(200);
      const call = invite?.accept();
      const dialog: AppDialog = await within('the dialog', calling);
      await call?.confirmed;
      await within('the end of the dialog', dialog.destroy());
      await call?.ended;
    },
  },
  {
    name: 'a question that goes out',
    messages: [fromServer('OPTIONS', 'OPTIONS'), toServer('200 OPTIONS', 'OPTIONS', '200 OPTIONS')],
    play: async ({ application, agent }) => {
      expect((await ask(application, agent.address, { method: 'OPTIONS' })).status).toBe(200);
    },
  },
];

/** The ladder that losing `lost` must give. */
function expected({ messages }: Story, lost: Message): readonly string[] {
  const way = ({ direction, what }: Pick<Message, 'direction' | 'what'>): string =>
    `${direction === 'to-server' ? 'agent -> sipd' : 'sipd -> agent'} : ${what}`;
  const again = lost.again.map((what) => way(messages.find((each) => each.what === what) ?? lost));
  const atOnce = messages.flatMap((each) => {
    if (each !== lost) return [way(each)];
    return [`${way(each)} (lost)`, ...(lost.late === true ? [] : again)];
  });
  return lost.late === true ? [...atOnce, ...again] : atOnce;
}

/** Milliseconds from the first sending of this message to the second. */
function gapMs(relay: LossyRelay, what: string): number {
  const [first, second] = relay.passed.filter((each) => each.what === what);
  return (second?.at ?? 0) - (first?.at ?? 0);
}

/** Plays the story once, and loses that message of it. */
async function playLosing(mode: SipdMode, story: Story, lost: Message): Promise<void> {
  await onStage(mode, async (stage) => {
    const server = { host: '127.0.0.1', port: stage.port };
    await using relay = await LossyRelay.open(server, losingFirst(lost.direction, lost.what));
    await using agent = await UserAgent.open({ name: 'agent', transport: 'udp', behind: relay });
    await story.play({ application: await stage.application(), agent, relay }, server);
    expect(relay.ladder('agent')).toEqual(expected(story, lost));
    const [repeated] = lost.again;
    // RFC 3261 17.1.1.2, 17.1.2.2, 17.2.1, 13.3.1.4: never before T1.
    if (repeated !== undefined) expect(gapMs(relay, repeated)).toBeGreaterThan(0.9 * t1Ms);
    expect(stage.sipd.counts()).toMatchObject({ dialogs: 0, unacknowledged: 0, pendingRequests: 0, calls: 0 });
  });
}

describe.each(['free', 'strict'] as const)('in %s mode', (mode) => {
  for (const story of stories) {
    describe.concurrent(story.name, () => {
      for (const lost of story.messages) {
        const again = lost.again.length === 0 ? 'nothing is sent again' : `${lost.again.join(' and ')} again`;
        test(`the ${lost.what} is lost: ${again}`, () => playLosing(mode, story, lost));
      }
    });
  }
});
