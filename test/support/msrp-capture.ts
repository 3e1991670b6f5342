/**
 * MSRP that goes over loopback, seen by neither end: captured, put together and read by tshark. Its dissector reads one
 * frame of each segment and complains of hardly anything, so each frame is given to it alone, and what it could make of it
 * is judged here.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Capture, type Dissected, rows, tshark } from './capture.ts';
import type { Address } from './sip-socket.ts';

/** One frame, and what tshark has read in it; '' for what it has not. */
export type CapturedFrame = {
  /** Port of its sender, and of its receiver. */
  readonly from: number;
  readonly to: number;
  readonly length: number;
  /** First line, without CRLF. */
  readonly line: string;
  /** URIs of the paths, leftmost first. */
  readonly toPath: readonly string[];
  readonly fromPath: readonly string[];
  readonly messageId: string;
  readonly byteRange: string;
  readonly status: string;
  /** As it stands in the end-line. */
  readonly flag: string;
  /** What is wrong with it; null when nothing is. */
  readonly complaint: string | null;
};

/** Far above a frame. */
const packetBytesMax = 262_144;

/** What one side of a connection sent. */
type Stream = { readonly from: number; readonly to: number; readonly octets: Buffer };

/** Octets of one frame, and who sent them to whom. */
type Piece = Stream;

export class MsrpCapture {
  readonly #capture: Capture;

  private constructor(capture: Capture) {
    this.#capture = capture;
  }

  /** Captures all connections from and to `addresses`, from when this resolves. */
  static async start(...addresses: readonly Address[]): Promise<MsrpCapture> {
    return new MsrpCapture(await Capture.streams(addresses));
  }

  /** Ends it and gives all frames, those of each direction of a connection in their order. */
  async frames(): Promise<readonly CapturedFrame[]> {
    await this.#capture.stop();
    return await dissect(this.#streams().flatMap(framesOf));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#capture[Symbol.asyncDispose]();
  }

  #streams(): readonly Stream[] {
    const numbers = [...new Set(this.#capture.dissect('tcp.len > 0', 'tcp.stream').flat())];
    if (numbers.length === 0) return [];
    const printed = this.#capture.statistics(...numbers.map((number) => `follow,tcp,raw,${number}`));
    const numberOf = (connection: string): number => Number(/tcp\.stream eq (\d+)/.exec(connection)?.[1]);
    // tshark prints them in an order of its own.
    const connections = printed.split('Follow: tcp,raw').slice(1);
    return connections.sort((a, b) => numberOf(a) - numberOf(b)).flatMap(bothWays);
  }
}

/** Those of `frames` with which something is wrong. */
export function complaints(frames: readonly CapturedFrame[]): readonly CapturedFrame[] {
  return frames.filter(({ complaint }) => complaint !== null);
}

/** Of what tshark prints of a connection, lines that begin with a tab were sent by the one that was connected to. */
function bothWays(printed: string): readonly Stream[] {
  const [, first = '', second = ''] = /Node 0: .*:(\d+)\nNode 1: .*:(\d+)\n/.exec(printed) ?? [];
  const [from, to] = [Number(first), Number(second)];
  const sent = (line: RegExp): Buffer => Buffer.from((printed.match(line) ?? []).join('').replace(/\s/g, ''), 'hex');
  return [
    { from, to, octets: sent(/^[\da-f]+$/gm) },
    { from: to, to: from, octets: sent(/^\t[\da-f]+$/gm) },
  ];
}

/** RFC 4975 9: from the start line to the end-line with the same transaction. What is no frame is one piece, to its end. */
function framesOf({ from, to, octets }: Stream): readonly Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  while (at < octets.length) {
    const transaction = /^MSRP (\S+) /.exec(octets.toString('latin1', at, at + 80))?.[1];
    const ending = octets.indexOf(`\r\n-------${transaction}`, at, 'latin1');
    const next = ending === -1 ? -1 : octets.indexOf('\r\n', ending + 2, 'latin1');
    const end = next === -1 ? octets.length : next + 2;
    pieces.push({ from, to, octets: octets.subarray(at, end) });
    at = end;
  }
  return pieces;
}

/** What tshark reads of a frame, in this order. */
const asked = [
  ...['msrp.request.line', 'msrp.response.line', 'msrp.transaction.id', 'msrp.cnt.flg', 'msrp.to.path'],
  ...['msrp.from.path', 'msrp.messageid', 'msrp.byte.range', 'msrp.status', '_ws.malformed', '_ws.expert.message'],
];

type Read = ReturnType<typeof reading>;

async function dissect(pieces: readonly Piece[]): Promise<readonly CapturedFrame[]> {
  const read = await readAlone(pieces.map(({ octets }) => octets));
  return pieces.map(({ from, to, octets }, i): CapturedFrame => {
    const facts = read[i] ?? reading([]);
    const { line, flag, messageId, byteRange, status } = facts;
    const shown = { from, to, length: octets.length, line, flag, messageId, byteRange, status };
    const paths = { toPath: facts.toPath.split(' '), fromPath: facts.fromPath.split(' ') };
    return { ...shown, ...paths, complaint: complaintOf(facts) };
  });
}

/** RFC 4975 9, as far as tshark takes a frame apart. */
function complaintOf({ noticed, line, transaction, flag, toPath, fromPath, messageId }: Read): string | null {
  if (noticed !== '') return noticed;
  const [, own = '', what = ''] = /^MSRP (\S+) (SEND|REPORT|AUTH|NICKNAME|\d{3}(?: .*)?)$/.exec(line) ?? [];
  if (what === '') return 'no first line';
  // It stands in the first line and in the end-line.
  if (transaction !== `${own},${own}`) return 'the end-line is of another transaction';
  if (!/^[$+#]$/.test(flag)) return 'no continuation flag';
  const uri = String.raw`msrps?://[^\s/]+(?:/[\w\-.~+=/]+)?;(?:tcp|ws)`;
  if (![toPath, fromPath].every((path) => new RegExp(`^${uri}(?: ${uri})*$`).test(path))) return 'no paths';
  return (what === 'SEND' || what === 'REPORT') && messageId === '' ? 'no Message-ID' : null;
}

/** Each of `frames` as tshark's dissector reads it. */
async function readAlone(frames: readonly Buffer[]): Promise<readonly Read[]> {
  const folder = await mkdtemp(join(tmpdir(), 'isfocus-frames-'));
  try {
    const file = join(folder, 'frames');
    await writeFile(file, Buffer.concat([fileHead(), ...frames.map(packet)]));
    return rows(tshark('-r', file, '-T', 'fields', ...asked.flatMap((name) => ['-e', name]))).map(reading);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function reading(values: Dissected) {
  const [request = '', response = '', transaction = '', flag = '', toPath = '', fromPath = '', ...more] = values;
  const [messageId = '', byteRange = '', status = '', malformed = '', message = ''] = more;
  const noticed = malformed + message;
  return { line: request || response, transaction, flag, toPath, fromPath, messageId, byteRange, status, noticed };
}

/** The head of a file of exported PDUs, i.e. of packets that say which dissector is to read them. */
function fileHead(): Buffer {
  const head = Buffer.alloc(24);
  head.writeUInt32LE(0xa1b2c3d4, 0);
  head.writeUInt16LE(2, 4);
  head.writeUInt16LE(4, 6);
  head.writeUInt32LE(packetBytesMax, 16);
  // LINKTYPE_WIRESHARK_UPPER_PDU
  head.writeUInt32LE(252, 20);
  return head;
}

/** One packet of such a file: `frame`, for the dissector of MSRP. */
function packet(frame: Buffer): Buffer {
  // EXP_PDU_TAG_DISSECTOR_NAME, and the end of the tags.
  const data = Buffer.concat([Buffer.from([0, 12, 0, 4]), Buffer.from('msrp'), Buffer.alloc(4), frame]);
  const head = Buffer.alloc(16);
  head.writeUInt32LE(data.length, 8);
  head.writeUInt32LE(data.length, 12);
  return Buffer.concat([head, data]);
}
