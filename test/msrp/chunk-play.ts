import { limits } from '../../src/core/limits.ts';
import type { SwitchedDelivery } from '../../src/core/messaging/switched.ts';
import { Chance } from '../sipd/fuzz/chance.ts';
import { settled } from './memory-carrier.ts';
import { type Member, type MemberChunk, MemoryRoom, shortOf } from './memory-room.ts';
import { chatLine } from './switch-room.ts';

/** A message that a member is going to send, and what the others must make of it. */
type Planned = {
  readonly messageId: string;
  readonly sender: string;
  /** In the order in which they are sent. */
  readonly chunks: readonly MemberChunk[];
  /** Which of them makes it whole; null: it is given up. */
  readonly wholeWith: number | null;
  /** What it is then. */
  readonly content: string;
};

/** How a member takes what it is sent. */
type Manner = 'reads' | 'pauses' | 'refuses' | 'is silent' | 'leaves';

/** What all plays of a run came to: a run in which nothing went wrong would show little. */
export type Sum = { delivered: number; failed: number; aborted: number; chunks: number; congested: number };

const manners: readonly Manner[] = ['reads', 'reads', 'pauses', 'refuses', 'is silent', 'leaves'];

/** One play: a few members send messages in chunks, all at once, and not all of them take what they get. */
export class ChunkPlay {
  readonly #chance: Chance;
  readonly #sum: Sum;
  readonly #room = new MemoryRoom();
  readonly #members = new Map<string, Member>();
  readonly #manners = new Map<string, Manner>();
  readonly #planned: Planned[] = [];
  /** What is still to be said by each. */
  readonly #speeches = new Map<string, Speech>();
  /** By sender, in the order in which they became whole. */
  readonly #order = new Map<string, string[]>();
  /** Of those who stay: each chunk is to be answered 200. */
  readonly #transactions = new Map<string, string[]>();
  readonly #gone = new Set<string>();
  #turnCount = 0;
  /** What must be and is not; one `expect` for each would take most of the time. */
  readonly #untrue: string[] = [];

  constructor(seed: number, sum: Sum) {
    this.#chance = new Chance(seed);
    this.#sum = sum;
  }

  /** Gives what is wrong in the end. */
  async run(): Promise<readonly string[]> {
    const names = ['alice', 'bob', 'carol', 'ted'].slice(0, this.#between(2, 4));
    for (const name of names) this.#join(name, this.#chance.pick(manners));
    this.#room.route(names);
    await settled();
    for (const name of names) this.#plan(name);
    while ([...this.#speeches.values()].some(({ isOver }) => !isOver)) await this.#step();
    await this.#finish();
    this.#check(names);
    return this.#untrue;
  }

  #join(name: string, manner: Manner): void {
    const member = this.#room.join(name);
    this.#members.set(name, member);
    this.#manners.set(name, manner);
    if (manner === 'refuses') member.answer = () => this.#chance.pick([200, 400, 413, 415]);
    if (manner === 'is silent') member.answer = () => (this.#oneIn(3) ? 'none' : 200);
  }

  /** What `name` is going to send: chunks of several messages by turns, cut anywhere into segments. */
  #plan(name: string): void {
    const messages = Array.from({ length: this.#between(0, 4) }, (_, i) => this.#message(name, i));
    this.#planned.push(...messages);
    const queues = messages.map((message) => ({ message, sent: 0 }));
    const octets: Buffer[] = [];
    const order: string[] = [];
    const transactions: string[] = [];
    for (;;) {
      const left = queues.filter(({ message, sent }) => sent < message.chunks.length);
      if (left.length === 0) break;
      const queue = this.#chance.pick(left);
      const chunk = queue.message.chunks[queue.sent];
      if (chunk === undefined) break;
      const written = this.#memberOf(name).written(chunk);
      octets.push(written.octets);
      transactions.push(written.transactionId);
      if (queue.sent === queue.message.wholeWith) order.push(queue.message.content);
      queue.sent += 1;
    }
    this.#order.set(name, order);
    this.#transactions.set(name, transactions);
    const member = this.#memberOf(name);
    const speech = new Speech(octets, (segment) => member.carrier.say(segment));
    member.say = (answer) => speech.insert(answer);
    this.#speeches.set(name, speech);
    this.#sum.chunks += transactions.length;
  }

  #message(sender: string, n: number): Planned {
    const messageId = `${sender}-${n}`;
    const headers = chatLine('', sender);
    const isLong = this.#oneIn(8);
    const length = isLong ? this.#between(17_000, this.#oneIn(2) ? 125_000 : 40_000) : this.#between(0, 3_000);
    const body = Buffer.alloc(length, `${messageId} `);
    const content = Buffer.concat([headers, body]);
    const chunks = this.#chunksOf(messageId, content, headers.length);
    const { wholeWith, painted } = paint(chunks, content.length);
    return { messageId, sender, chunks, wholeWith, content: shortOf(painted) };
  }

  /** `content` in chunks, each octet once at least; of what comes twice the last is right, or both are wrong alike. */
  #chunksOf(messageId: string, content: Buffer, headerBytes: number): readonly MemberChunk[] {
    const total = this.#oneIn(2) ? String(content.length) : '*';
    const chunk = ([from, to]: readonly [number, number], octets = content): MemberChunk => ({
      messageId,
      body: octets.subarray(from, to),
      range: `${from + 1}-${this.#oneIn(2) ? '*' : to}/${total}`,
      flag: to === content.length ? '$' : '+',
    });
    const count = this.#oneIn(3) ? 1 : this.#between(2, 7);
    const cuts = Array.from({ length: count - 1 }, () => this.#between(0, content.length));
    const places = [0, ...cuts.sort((a, b) => a - b), content.length];
    const chunks = places.slice(1).map((to, i) => chunk([places[i] ?? 0, to]));
    if (this.#oneIn(2)) chunks.sort(() => this.#between(-1, 1));
    // Other octets for a place whose octets come, too, before or after.
    for (let extra = this.#between(0, 2); extra > 0; extra -= 1) {
      const from = this.#between(headerBytes, content.length);
      const to = this.#between(from, content.length);
      chunks.splice(this.#between(0, chunks.length), 0, chunk([from, to], Buffer.alloc(to, '#')));
    }
    if (this.#oneIn(8)) {
      const given = chunks.slice(0, this.#between(0, chunks.length - 1));
      return [...given, { ...chunk([0, this.#between(0, 20)]), flag: '#' }];
    }
    // A sender that is not sure says all of it again.
    return this.#oneIn(8) ? [...chunks, ...chunks] : chunks;
  }

  async #step(): Promise<void> {
    const name = this.#chance.pick([...this.#speeches].filter(([, { isOver }]) => !isOver).map(([each]) => each));
    const length = this.#oneIn(4) ? this.#between(1, 60) : this.#between(100, 40_000);
    this.#speeches.get(name)?.go(length);
    if (this.#oneIn(3)) await settled();
    if (this.#oneIn(6)) this.#moveOn(this.#chance.pick([...this.#manners.keys()]));
    if (this.#turnCount < 5 && this.#oneIn(12)) {
      this.#turnCount += 1;
      // What was said leaves in no time.
      await settled();
      this.#room.clock.turn(limits.msrpPatienceMs);
    }
    if (this.#oneIn(40) && !this.#members.has('zoe')) {
      this.#join('zoe', this.#chance.pick(manners));
      this.#route();
    }
  }

  /** A member does what is its manner. */
  #moveOn(name: string): void {
    const { carrier } = this.#memberOf(name);
    const manner = this.#manners.get(name);
    if (manner === 'pauses' && this.#oneIn(2)) carrier.stopReading();
    else if (manner === 'pauses') carrier.readOn();
    if (manner !== 'leaves' || !this.#oneIn(4) || this.#gone.has(name)) return;
    this.#gone.add(name);
    this.#speeches.delete(name);
    if (this.#oneIn(2)) carrier.destroy();
    else this.#room.close(this.#room.sessions.byEndpointId(name));
    this.#route();
  }

  #route(): void {
    this.#room.route([...this.#members.keys()].filter((each) => !this.#gone.has(each)));
  }

  /** All that is held up goes on, and all that is waited for comes or is given up. */
  async #finish(): Promise<void> {
    for (let i = 0; i < 20; i += 1) {
      await settled();
      for (const { carrier } of this.#members.values()) carrier.readOn();
    }
    for (const name of this.#room.lost) this.#gone.add(name);
    for (const ms of [limits.msrpPatienceMs, limits.msrpAnswerTimeoutMs, limits.msrpAnswerTimeoutMs]) {
      this.#room.clock.turn(ms);
      await settled();
    }
    this.#must(this.#room.clock.nextDue === undefined, 'nothing is waited for that was said to its end');
    for (const name of this.#members.keys()) this.#room.close(this.#room.sessions.byEndpointId(name));
    this.#room.clock.turn(limits.msrpAnswerTimeoutMs);
  }

  #check(names: readonly string[]): void {
    for (const name of names) {
      this.#checkReceived(name);
      if (this.#stays(name)) this.#checkAnswered(name);
    }
    for (const message of this.#planned) this.#checkTold(message, names);
    this.#must(this.#room.clock.nextDue === undefined, 'whatever happened, nothing is left of it');
  }

  /** Each message once, whole, and those of each sender in the order in which they became whole. */
  #checkReceived(name: string): void {
    const { messages, unfinishedCount } = this.#memberOf(name);
    const hasEnds = unfinishedCount === 0 || this.#manners.get(name) !== 'reads';
    this.#must(hasEnds, `${name} gets the end of all that was begun, or is told that there is none`);
    const others = [...this.#order].filter(([sender]) => sender !== name);
    const known = new Set(others.flatMap(([, contents]) => contents));
    this.#must(new Set(messages).size === messages.length, `${name} gets no message twice`);
    for (const content of messages) this.#must(known.has(content), `${name} gets whole messages only, not ${content}`);
    for (const [sender, contents] of others) {
      const places = messages.filter((each) => contents.includes(each)).map((each) => contents.indexOf(each));
      const isInOrder = places.every((place, i) => i === 0 || (places[i - 1] ?? 0) < place);
      this.#must(isInOrder, `${name} gets ${sender}'s messages in order, not ${places.join()}`);
    }
  }

  #checkAnswered(name: string): void {
    const { answers } = this.#memberOf(name);
    for (const id of this.#transactions.get(name) ?? [])
      this.#must(answers.get(id) === 200, `${id} of ${name} is answered 200, not ${answers.get(id)}`);
  }

  /** What is told of a message is true at each of its receivers. */
  #checkTold(message: Planned, names: readonly string[]): void {
    const { messageId, sender, wholeWith } = message;
    const [told, ...more] = this.#room.told.filter((each) => each.messageId === messageId);
    this.#must(more.length === 0, `${messageId} is told once`);
    const deliveries = told?.deliveries ?? [];
    if (wholeWith === null) this.#sum.aborted += 1;
    else if (this.#stays(sender)) {
      for (const name of names) {
        const isNamed = deliveries.some(({ endpointId }) => endpointId === name);
        this.#must(
          isNamed || name === sender || !this.#stays(name),
          `it is told what became of ${messageId} at ${name}`,
        );
      }
    }
    for (const delivery of deliveries) this.#checkDelivery(message, delivery);
  }

  #checkDelivery(message: Planned, { endpointId, outcome, reason }: SwitchedDelivery): void {
    const { messageId, content, wholeWith, sender } = message;
    const hasIt = this.#memberOf(endpointId).messages.includes(content);
    this.#sum[outcome === 'delivered' ? 'delivered' : 'failed'] += 1;
    if (reason === 'congested') this.#sum.congested += 1;
    const manner = this.#manners.get(endpointId);
    const told = `${messageId} is not ${outcome} at ${endpointId}, who ${manner} (${reason})`;
    this.#must(outcome !== 'delivered' || (hasIt && wholeWith !== null), told);
    const isFaultless = manner === 'reads' && wholeWith !== null && this.#stays(sender);
    this.#must(outcome === 'delivered' || !isFaultless, told);
    // Whoever has it all the same has not said so.
    this.#must(outcome === 'delivered' || !hasIt || manner !== 'reads', told);
  }

  #must(isTrue: boolean, sentence: string): void {
    if (!isTrue) this.#untrue.push(sentence);
  }

  /** Until the end, so that all it has planned was said. */
  #stays(name: string): boolean {
    return !this.#gone.has(name);
  }

  #oneIn(count: number): boolean {
    return this.#chance.below(count) === 0;
  }

  #between(least: number, most: number): number {
    return least + this.#chance.below(most - least + 1);
  }

  #memberOf(name: string): Member {
    const member = this.#members.get(name);
    if (member === undefined) throw new Error(`${name} is no member`);
    return member;
  }
}

/** What chunks make, as a receiver would that keeps all of them; and which of them completes it. */
function paint(
  chunks: readonly MemberChunk[],
  length: number,
): { readonly painted: Buffer; readonly wholeWith: number | null } {
  const painted = Buffer.alloc(length);
  const isKnown = new Uint8Array(length);
  let hasEnd = false;
  for (const [i, { body, range = '', flag }] of chunks.entries()) {
    if (flag === '#') return { painted, wholeWith: null };
    const at = Number.parseInt(range, 10) - 1;
    body?.copy(painted, at);
    isKnown.fill(1, at, at + (body?.length ?? 0));
    hasEnd ||= flag === '$';
    if (hasEnd && !isKnown.includes(0)) return { painted, wholeWith: i };
  }
  return { painted, wholeWith: null };
}

/** Frames that leave in segments cut anywhere; answers go between two frames, as soon as one has left. */
class Speech {
  readonly #say: (segment: Buffer) => void;
  readonly #frames: Buffer[];
  /** What of the first frame has left. */
  #at = 0;
  #answers: Buffer[] = [];

  constructor(frames: readonly Buffer[], say: (segment: Buffer) => void) {
    this.#frames = [...frames];
    this.#say = say;
  }

  get isOver(): boolean {
    return this.#frames.length === 0;
  }

  insert(answer: Buffer): void {
    if (this.#at === 0) this.#say(answer);
    else this.#answers.push(answer);
  }

  /** The next octets, as many as these unless answers wait for the end of a frame. */
  go(length: number): void {
    const pieces: Buffer[] = [];
    for (let left = length; left > 0 && !this.isOver; ) {
      const [frame = Buffer.alloc(0)] = this.#frames;
      const piece = frame.subarray(this.#at, this.#answers.length > 0 ? frame.length : this.#at + left);
      pieces.push(piece);
      left -= piece.length;
      this.#at += piece.length;
      if (this.#at < frame.length) continue;
      this.#frames.shift();
      this.#at = 0;
      pieces.push(...this.#answers);
      this.#answers = [];
    }
    this.#say(Buffer.concat(pieces));
  }
}
