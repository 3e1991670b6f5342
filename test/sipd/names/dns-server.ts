/** A small DNS server on loopback (RFC 1035 over UDP), for tests: answers from a table, and tells what was asked. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

type Rest = { readonly ttl?: number };
export type DnsRecord =
  | ({ readonly type: 'A'; readonly address: string } & Rest)
  | ({ readonly type: 'AAAA'; readonly groups: readonly number[] } & Rest)
  | ({
      readonly type: 'SRV';
      readonly values: readonly [priority: number, weight: number, port: number];
      readonly target: string;
    } & Rest)
  | ({
      readonly type: 'NAPTR';
      readonly values: readonly [order: number, preference: number];
      readonly service: string;
      readonly replacement: string;
    } & Rest);

const types: Readonly<Record<number, DnsRecord['type']>> = { 1: 'A', 28: 'AAAA', 33: 'SRV', 35: 'NAPTR' };
const noSuchName = 3;

export class DnsServer {
  readonly #socket: Socket;
  readonly #zone: Readonly<Record<string, readonly DnsRecord[]>>;
  /** Questions in order, as `SRV _sip._udp.example.com`. */
  readonly asked: string[] = [];

  private constructor(socket: Socket, zone: Readonly<Record<string, readonly DnsRecord[]>>) {
    this.#socket = socket;
    this.#zone = zone;
    socket.on('message', (query, from) => socket.send(this.#answer(query), from.port, from.address));
  }

  static async open(zone: Readonly<Record<string, readonly DnsRecord[]>>): Promise<DnsServer> {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new DnsServer(socket, zone);
  }

  /** As a resolver wants it named. */
  get address(): string {
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  async close(): Promise<void> {
    this.#socket.close();
    await once(this.#socket, 'close');
  }

  #answer(query: Buffer): Buffer {
    const { name, end } = readName(query, 12);
    const type = types[query.readUInt16BE(end)];
    this.asked.push(`${type ?? query.readUInt16BE(end)} ${name}`);
    const records = this.#zone[name.toLowerCase()];
    const found = (records ?? []).filter((record) => record.type === type);
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    header.writeUInt16BE(0x8180 | (records === undefined ? noSuchName : 0), 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(found.length, 6);
    const question = query.subarray(12, end + 4);
    return Buffer.concat([header, question, ...found.map((record) => written(record, query.readUInt16BE(end)))]);
  }
}

function readName(message: Buffer, start: number): { readonly name: string; readonly end: number } {
  const labels: string[] = [];
  let at = start;
  for (let length = message.readUInt8(at); length > 0; length = message.readUInt8(at)) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.'), end: at + 1 };
}

function written(record: DnsRecord, type: number): Buffer {
  const data = dataOf(record);
  const head = Buffer.alloc(12);
  // RFC 1035 4.1.4: the name is the one at octet 12, that of the question.
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(record.ttl ?? 60, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

function dataOf(record: DnsRecord): Buffer {
  switch (record.type) {
    case 'A':
      return Buffer.from(record.address.split('.').map(Number));
    case 'AAAA':
      return numbers(record.groups);
    case 'SRV':
      return Buffer.concat([numbers(record.values), writtenName(record.target)]);
    case 'NAPTR':
      return Buffer.concat([
        numbers(record.values),
        text('s'),
        text(record.service),
        text(''),
        writtenName(record.replacement),
      ]);
  }
}

function numbers(values: readonly number[]): Buffer {
  return Buffer.concat(values.map((value) => Buffer.from([value >> 8, value & 0xff])));
}

function text(value: string): Buffer {
  return Buffer.concat([Buffer.from([value.length]), Buffer.from(value, 'latin1')]);
}

function writtenName(name: string): Buffer {
  const labels = name === '' ? [] : name.split('.').map(text);
  return Buffer.concat([...labels, Buffer.from([0])]);
}
