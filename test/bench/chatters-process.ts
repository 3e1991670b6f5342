/**
 * A crowd that chats over MSRP, each member with a connection of its own. One of them speaks, the others answer each SEND
 * with 200. It parses no more than it must, since it shares the machine with the server that is measured.
 */

import { connect, type Socket } from 'node:net';
import type { Enter, Flood, Flooded, Pace, Paced, Place } from './chatting.ts';

type Member = {
  readonly socket: Socket;
  /** To-Path and From-Path of all that it sends. */
  readonly paths: string;
  /** Messages that it has had. */
  received: number;
  rest: Buffer | null;
};

type Room = {
  readonly name: string;
  readonly members: readonly Member[];
  readonly speaker: Member;
  /** What each message says after its transaction, paths and Message-ID. */
  readonly content: string;
  /** What its text ends with. */
  readonly ending: string;
  /** Messages sent since the beginning, answered 200, and had by everybody. */
  sent: number;
  answered: number;
  everywhere: number;
  /** When each message was sent, and how many have had it; both by its number. */
  readonly sentAt: Map<number, number>;
  readonly hadBy: Map<number, number>;
  onProgress: () => void;
};

const rooms = new Map<string, Room>();

process.once('disconnect', () => process.exit(0));
process.on('message', (message: Enter | Flood | Pace) => {
  void answerTo(message).then((answer) => process.send?.(answer));
});
process.send?.(true);

async function answerTo(message: Enter | Flood | Pace): Promise<true | Flooded | Paced> {
  if (message.ask === 'enter') return await enter(message);
  const room = rooms.get(message.room);
  if (room === undefined) throw new Error(`there is no room ${message.room}`);
  return message.ask === 'flood' ? await flood(room, message) : await pace(room, message);
}

async function enter({ room: name, places, from, to, textBytes = 300 }: Enter): Promise<true> {
  const members: Member[] = [];
  for (const place of places) members.push(await connected(place));
  const [speaker] = members;
  if (speaker === undefined) throw new Error('nobody is in');
  const cpim = [`From: <${from}>`, `To: <${to}>`, 'DateTime: 2026-11-23T07:00:00Z', '', 'Content-Type: text/plain', ''];
  const body = `${cpim.join('\r\n')}\r\n${'Not seen, not heard. '.repeat(textBytes).slice(0, textBytes)}`;
  const content = `Byte-Range: 1-${body.length}/${body.length}\r\nContent-Type: message/cpim\r\n\r\n${body}\r\n`;
  const room: Room = {
    name,
    members,
    speaker,
    content,
    ending: body.slice(-12),
    sent: 0,
    answered: 0,
    everywhere: 0,
    sentAt: new Map(),
    hadBy: new Map(),
    onProgress: () => undefined,
  };
  rooms.set(name, room);
  for (const member of members) listen(room, member);
  return true;
}

/** Connects and sends the first SEND, which has no body; resolves once that is answered. */
async function connected({ own, peer }: Place): Promise<Member> {
  const port = Number(/:(\d+)\//.exec(peer)?.[1]);
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  const paths = `To-Path: ${peer}\r\nFrom-Path: ${own}\r\n`;
  socket.write(`MSRP enter1 SEND\r\n${paths}Message-ID: enter1\r\n-------enter1$\r\n`);
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.once('data', (answer) => {
      if (answer.toString('latin1').startsWith('MSRP enter1 200')) resolve();
      else reject(new Error(`the first SEND was answered:\n${answer.toString('latin1')}`));
    });
  });
  return { socket, paths, received: 0, rest: null };
}

function listen(room: Room, member: Member): void {
  member.socket.on('close', () => {
    throw new Error(`the server has closed a connection of room ${room.name}`);
  });
  member.socket.on('data', (chunk) => {
    const octets = member.rest === null ? chunk : Buffer.concat([member.rest, chunk]);
    const { answers, used } = takeFrames(room, member, octets);
    member.rest = used === octets.length ? null : octets.subarray(used);
    if (answers !== '') member.socket.write(answers, 'latin1');
    room.onProgress();
  });
}

/** Counts the whole frames; gives the answers that they want, and how far they reach. */
function takeFrames(room: Room, member: Member, octets: Buffer): { answers: string; used: number } {
  let answers = '';
  for (let used = 0; ; ) {
    const blank = octets.indexOf(0x20, used + 5);
    if (blank === -1) return { answers, used };
    const transaction = octets.toString('latin1', used + 5, blank);
    const end = octets.indexOf(`\r\n-------${transaction}`, blank, 'latin1');
    const next = end + transaction.length + 12;
    if (end === -1 || next > octets.length) return { answers, used };
    // Whatever ends otherwise belongs to a message that others send meanwhile.
    const isLine = octets.toString('latin1', end - room.ending.length, end) === room.ending;
    used = next;
    if (octets[blank + 1] === 0x53) {
      answers += `MSRP ${transaction} 200 OK\r\n${member.paths}-------${transaction}$\r\n`;
      if (isLine) take(room, member);
    } else {
      if (octets.toString('latin1', blank + 1, blank + 4) !== '200')
        throw new Error(`a message was answered:\n${octets.toString('latin1', blank, blank + 40)}`);
      room.answered += 1;
    }
  }
}

/** The next message has come to a member. */
function take(room: Room, member: Member): void {
  member.received += 1;
  const number = member.received;
  const hadBy = (room.hadBy.get(number) ?? 0) + 1;
  if (hadBy < room.members.length - 1) {
    room.hadBy.set(number, hadBy);
    return;
  }
  room.hadBy.delete(number);
  room.everywhere += 1;
  lasted.push(performance.now() - (room.sentAt.get(number) ?? Number.NaN));
  room.sentAt.delete(number);
}

/** Milliseconds that the messages took, of this measurement. */
let lasted: number[] = [];

/** The next messages, in one write. */
function send(room: Room, count: number): void {
  const { speaker, content } = room;
  let octets = '';
  for (let i = 0; i < count; i += 1) {
    room.sent += 1;
    const id = `said${room.sent.toString(36)}`;
    octets += `MSRP ${id} SEND\r\n${speaker.paths}Message-ID: ${id}\r\n${content}-------${id}$\r\n`;
    room.sentAt.set(room.sent, performance.now());
  }
  speaker.socket.write(octets, 'latin1');
}

function flood(room: Room, { messages, underWay }: Flood): Promise<Flooded> {
  const begin = performance.now();
  const goal = room.everywhere + messages;
  lasted = [];
  return new Promise((resolve) => {
    room.onProgress = () => {
      const done = Math.min(room.everywhere, room.answered);
      if (done === goal) return resolve({ milliseconds: performance.now() - begin });
      const free = Math.min(underWay - (room.sent - done), goal - room.sent);
      if (free > 0) send(room, free);
    };
    room.onProgress();
  });
}

function pace(room: Room, { messages, perSecond }: Pace): Promise<Paced> {
  const begin = performance.now();
  const goal = room.everywhere + messages;
  let sent = 0;
  lasted = [];
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      const due = Math.min(messages, Math.floor(((performance.now() - begin) * perSecond) / 1_000));
      for (; sent < due; sent += 1) send(room, 1);
      if (sent === messages) clearInterval(timer);
    }, 1);
    room.onProgress = () => {
      if (room.everywhere < goal) return;
      const milliseconds = performance.now() - begin;
      resolve({ median: quantile(0.5), p95: quantile(0.95), p99: quantile(0.99), milliseconds });
    };
  });
}

function quantile(part: number): number {
  const sorted = lasted.toSorted((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * part) - 1] ?? Number.NaN;
}
