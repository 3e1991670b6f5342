/** Frames as peers write them, and what the reader makes of octets. */

import { expect } from 'vitest';
import type { MsrpRequest } from '../../src/wire/msrp.ts';
import { type MsrpFrame, MsrpReader } from '../../src/wire/msrp-reader.ts';

export const alice = 'msrp://pc33.atlanta.example.com:7654/jshA7weztas;tcp';
export const focus = 'msrp://chat.example.com:12763/kjhd37s2s20w2a;tcp';

/** RFC 7701 9.3 F1 in form. */
export const regular = [
  'MSRP 3490visdm SEND',
  `To-Path: ${focus}`,
  `From-Path: ${alice}`,
  'Message-ID: 99s9s2',
  'Byte-Range: 1-30/30',
  'Content-Type: message/cpim',
  '',
  'Hello guys, how are you today?',
  '-------3490visdm$',
  '',
].join('\r\n');

export const bodiless = `MSRP a786hjs2 SEND\r\nTo-Path: ${focus}\r\nFrom-Path: ${alice}\r\nMessage-ID: 87652491\r\n-------a786hjs2$\r\n`;
export const ok = `MSRP 3490visdm 200 OK\r\nTo-Path: ${alice}\r\nFrom-Path: ${focus}\r\n-------3490visdm$\r\n`;

export function read(octets: string | Buffer, wholeBytesMax = 1_000): MsrpFrame[] {
  return new MsrpReader({ wholeBytesMax }).push(Buffer.from(octets));
}

export function readOne(octets: string | Buffer): MsrpFrame {
  const frames = read(octets);
  expect(frames).toHaveLength(1);
  return frames[0] as MsrpFrame;
}

export function readRequest(octets: string | Buffer): MsrpRequest {
  const frame = readOne(octets);
  if (frame.kind !== 'request') throw new Error(`expected a request, not ${frame.kind}`);
  return frame;
}

export function kindsOf(frames: readonly MsrpFrame[]): readonly string[] {
  return frames.map((frame) => frame.kind);
}
