/**
 * The anchor of the chat rows: a Node server that passes each SEND on to everybody else in its room, knows which of its own
 * are answered, and does no more than that takes. It reads where frames end, and neither their headers nor what they carry.
 * A room is the first part of a session id; in a room `each` every frame is a write, in a room `batched` what one read has
 * brought is, per receiver.
 */

import { type AddressInfo, createServer, type Socket } from 'node:net';
import { answerParent } from './usage.ts';

class Member {
  readonly #socket: Socket;
  #rest: Buffer | null = null;
  #room: Set<Member> | null = null;
  #isBatched = false;
  /** To-Path and From-Path of all that it is sent. */
  #paths = '';
  #queued = '';
  readonly #unanswered = new Set<string>();

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', () => undefined);
    socket.on('close', () => this.#room?.delete(this));
    socket.on('data', (chunk) => this.#read(chunk));
  }

  #read(chunk: Buffer): void {
    const octets = this.#rest === null ? chunk : Buffer.concat([this.#rest, chunk]);
    let used = 0;
    for (;;) {
      const blank = octets.indexOf(0x20, used + 5);
      if (blank === -1) break;
      const transaction = octets.toString('latin1', used + 5, blank);
      const end = octets.indexOf(`-------${transaction}$\r\n`, blank, 'latin1');
      if (end === -1) break;
      // A response begins with a digit.
      if (octets[blank + 1] === 0x53) this.#take(transaction, octets.toString('latin1', blank, end));
      else this.#unanswered.delete(transaction);
      used = end + transaction.length + 10;
    }
    this.#rest = used === octets.length ? null : octets.subarray(used);
    if (this.#isBatched) for (const member of this.#room ?? []) member.#flush();
  }

  #take(transaction: string, send: string): void {
    const paths = send.indexOf('\r\n') + 2;
    const headers = send.indexOf('\r\n', send.indexOf('\r\n', paths) + 2) + 2;
    if (this.#room === null) this.#enter(send.slice(paths, headers));
    else {
      const content = send.slice(headers);
      for (const member of this.#room) if (member !== this) member.#send(content);
    }
    this.#write(`MSRP ${transaction} 200 OK\r\n${this.#paths}-------${transaction}$\r\n`);
  }

  #enter(paths: string): void {
    const [, own = '', name = '', peer = ''] = /^To-Path: (\S+\/(\w+)-\S+)\r\nFrom-Path: (\S+)/.exec(paths) ?? [];
    this.#paths = `To-Path: ${peer}\r\nFrom-Path: ${own}\r\n`;
    this.#isBatched = name === 'batched';
    this.#room = rooms.get(name) ?? new Set();
    rooms.set(name, this.#room.add(this));
  }

  #send(content: string): void {
    transactions += 1;
    const transaction = `sent${transactions.toString(36)}`;
    this.#unanswered.add(transaction);
    this.#write(`MSRP ${transaction} SEND\r\n${this.#paths}${content}-------${transaction}$\r\n`);
  }

  #write(frame: string): void {
    if (this.#isBatched) this.#queued += frame;
    else this.#socket.write(frame, 'latin1');
  }

  #flush(): void {
    if (this.#queued === '') return;
    this.#socket.write(this.#queued, 'latin1');
    this.#queued = '';
  }
}

const rooms = new Map<string, Set<Member>>();
let transactions = 0;

const server = createServer({ noDelay: true }, (socket) => void new Member(socket));
server.listen(0, '127.0.0.1', () => answerParent((server.address() as AddressInfo).port));
