import { header } from '../../src/wire/sip-message.ts';
import { aliceCallsBob, bobAndTed, inviteFactory } from '../support/appendix-m.ts';
import { type ChatCast, openChatCast } from '../support/cast.ts';
import type { MsrpClient } from '../support/msrp-client.ts';
import { only } from '../support/only.ts';
import { type ConferenceView, type ParticipantView, participants, whenConference } from '../support/rest-view.ts';
import { Service } from '../support/service.ts';
import { type Subscription, subscriptionState } from '../support/subscription.ts';
import { drawLadder, type Step } from './ladder-drawing.ts';
import { laneOf, stepsOf } from './wire-steps.ts';

type Name = 'alice' | 'bob' | 'ted';

/** Plays the whole of it and gives the text to print. Rejects with one sentence when anything differs. */
export async function play(): Promise<string> {
  await using service = await Service.start();
  await using cast = await openChatCast({ transport: 'tcp' });
  const sip = service.banner.sip.tcp;
  const stage = new Stage(service, cast);
  await stage.callBob();
  await stage.makeConference();
  await stage.everybodySpeaks();
  const roster = await stage.rosterOverRest();
  await stage.hangUp();
  must((await service.stop()) === 0, 'the service did not end orderly');
  return [
    'Appendix M: a one-to-one session becomes a conference',
    `SIP (---) over TCP, the focus at ${sip.host}:${sip.port}; MSRP (~~~). 100 Trying and the answers of MSRP are left out.`,
    'A full NOTIFY tells of everybody, a partial one of what is new; below it stands the roster as Alice then has it.',
    '',
    drawLadder(['Alice', 'focus', 'Bob', 'Ted'], stage.steps),
    '',
    `GET ${roster.path}`,
    ...roster.lines.map((line) => `  ${line}`),
    '',
    'All of it went as Appendix M says, and nothing is left running.',
  ].join('\n');
}

/** The acts, in order; each adds to the ladder what really went over the wire. */
class Stage {
  readonly steps: Step[] = [];
  readonly #service: Service;
  readonly #cast: ChatCast;
  #drawn = 0;
  #conference: ConferenceView | undefined;
  #subscription: Subscription | undefined;

  constructor(service: Service, cast: ChatCast) {
    this.#service = service;
    this.#cast = cast;
  }

  async callBob(): Promise<void> {
    const { alice, bob, chats } = this.#cast;
    this.#heading('1. Alice calls Bob.');
    await aliceCallsBob(this.#cast);
    this.#draw();
    const [atAlice, atBob] = [await chats.alice.session(0), await chats.bob.session(0)];
    const text = 'Hi Bob! Shall we ask Ted?';
    must((await atAlice.send({ from: alice.aor, to: bob.aor, text })) === 200, 'Bob did not take Alice’s message');
    must((await atBob.waitForMessage()).text === text, 'Bob did not read what Alice wrote');
    this.#line('alice', 'Bob', text);
  }

  async makeConference(): Promise<void> {
    const { alice, bob, ted } = this.#cast;
    this.#heading('2. She makes a conference of the call, with Ted. Bob’s user agent swaps the call for it.');
    const oneToOne = await alice.firstCall();
    const { callId, localTag, remoteTag } = oneToOne.dialog.facts;
    const ids = { callId, toTag: remoteTag, fromTag: localTag };
    const entries = bobAndTed(this.#cast, ids);
    const call = await inviteFactory(alice, this.#service.factoryOver('tcp'), { entries }).established();
    this.#subscription = alice.subscribe(call.dialog.remoteTarget);
    must((await this.#subscription.response).status === 200, 'Alice’s SUBSCRIBE was not accepted');
    await oneToOne.ended;
    await this.#subscription.sees('alice connected, bob connected, ted connected');
    this.#conference = await whenConference(
      this.#service,
      call.dialog.remoteTarget,
      (one) => one.participant_count === 3,
    );
    const replaces = header(only(bob.invitations), 'Replaces');
    must(replaces === `${callId};to-tag=${remoteTag};from-tag=${localTag}`, `Bob’s Replaces was ${replaces}`);
    must(header(only(ted.invitations), 'Replaces') === undefined, 'Ted was asked to replace something');
    this.#draw();
  }

  async everybodySpeaks(): Promise<void> {
    const { chats } = this.#cast;
    this.#heading('3. What each one says, the two others read.');
    const sessions = {
      alice: await chats.alice.session(1),
      bob: await chats.bob.session(1),
      ted: await chats.ted.session(0),
    };
    await this.#say(sessions, 'alice', 'Welcome, Ted.');
    await this.#say(sessions, 'bob', 'Good to see you!');
    await this.#say(sessions, 'ted', 'Hello, both of you.');
    const counts = Object.values(sessions).map(({ messages }) => messages.length);
    must(counts.join() === '2,2,2', `messages received by Alice, Bob and Ted: ${counts.join(', ')}`);
  }

  async rosterOverRest(): Promise<{ readonly path: string; readonly lines: readonly string[] }> {
    const { id } = this.#running;
    const people = await participants(this.#service, id);
    const statuses = people.map(({ status }) => status).join();
    must(statuses === 'connected,connected,connected', `REST says of the participants: ${statuses}`);
    const names = ['Alice', 'Bob', 'Ted'];
    const line = ({ status, joining_method, uri }: ParticipantView, n: number): string =>
      `${(names[n] ?? '').padEnd(6)} ${status}  ${joining_method.padEnd(10)}  ${uri}`;
    return { path: `/v1/conferences/${id}/participants`, lines: people.map(line) };
  }

  async hangUp(): Promise<void> {
    const { alice, bob, ted } = this.#cast;
    this.#heading('4. Alice, who made it, hangs up, and the conference ends for all.');
    const call = only(alice.calls.slice(1));
    must((await call.bye()).status === 200, 'Alice’s BYE was not accepted');
    await Promise.all([only(bob.calls.slice(1)).ended, only(ted.calls).ended]);
    await this.#subscription?.notify('the end', subscriptionState('terminated;reason=noresource'));
    const ended = await whenConference(this.#service, this.#running.uri, ({ status }) => status === 'ended');
    must(ended.end_reason === 'creator-left', `the conference ended because of ${ended.end_reason}`);
    this.#draw();
  }

  get #running(): ConferenceView {
    if (!this.#conference) throw new Error('there is no conference yet');
    return this.#conference;
  }

  async #say(sessions: Readonly<Record<Name, MsrpClient>>, speaker: Name, text: string): Promise<void> {
    const { aor } = this.#cast[speaker];
    const status = await sessions[speaker].send({ from: aor, to: this.#running.uri, text });
    must(status === 200, `${speaker}’s message was answered ${status}`);
    this.#line(speaker, 'focus', text);
    for (const reader of (['alice', 'bob', 'ted'] as const).filter((name) => name !== speaker)) {
      const read = (await sessions[reader].waitForMessage()).text;
      must(read === text, `${reader} read: ${read}`);
      this.steps.push({ kind: 'arrow', from: 'focus', to: laneOf(reader), label: `“${text}”`, style: 'msrp' });
    }
  }

  #heading(text: string): void {
    this.steps.push({ kind: 'heading', text });
  }

  #line(speaker: Name, to: string, text: string): void {
    this.steps.push({ kind: 'arrow', from: laneOf(speaker), to, label: `“${text}”`, style: 'msrp' });
  }

  /** Adds what went over SIP since the last time. */
  #draw(): void {
    const { log, alice } = this.#cast;
    const oneToOne = alice.calls[0]?.dialog.facts.callId ?? '';
    this.steps.push(...stepsOf(log.entries.slice(this.#drawn), { oneToOne, watcher: this.#subscription }));
    this.#drawn = log.entries.length;
  }
}

function must(holds: boolean, sentence: string): void {
  if (!holds) throw new Error(sentence);
}
