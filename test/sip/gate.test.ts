import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { pacingBounds } from '../../src/sip/bounds.ts';
import { Gate } from '../../src/sip/gate.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { LogBook } from './log-book.ts';

/** A control socket that is connected to nothing: what it writes is kept, what the server says is handed in. */
class ControlSocket {
  readonly socket = new Socket();
  readonly written: string[] = [];
  readonly clock = new ManualClock(1_700_000_000_000);
  readonly log = new LogBook();

  constructor() {
    this.socket.write = (chunk: string | Uint8Array, second?: unknown): boolean => {
      this.written.push(String(chunk));
      if (typeof second === 'function') second();
      return true;
    };
    new Gate(this.socket, { clock: this.clock, log: this.log.log }).install();
  }

  /** Writes a frame of `bytes` octets in all. */
  frame(id: string, bytes: number): void {
    const payload = (length: number): string => `${id}|sip||\r\n${'x'.repeat(Math.max(0, length - id.length - 8))}`;
    const exact = [bytes - 2, bytes - 3, bytes - 4, bytes - 5, bytes - 6]
      .map((length) => `${Buffer.byteLength(payload(length))}#${payload(length)}`)
      .find((text) => text.length === bytes);
    if (exact === undefined) throw new Error(`no frame has ${bytes} octets`);
    this.socket.write(exact, () => undefined);
  }

  confirm(id: string): void {
    const payload = `00000000-0000-4000-8000-000000000000|response|${id}|OK`;
    this.socket.emit('data', Buffer.from(`${payload.length}#${payload}`));
  }

  get ids(): string[] {
    return this.written.map((text) => /#([^|]*)/.exec(text)?.[1] ?? '');
  }
}

test('a burst of large frames goes out one confirmation at a time', () => {
  const control = new ControlSocket();
  for (const id of ['a', 'b', 'c', 'd']) control.frame(id, 5_000);
  expect(control.ids).toEqual(['a', 'b']);
  control.confirm('a');
  expect(control.ids).toEqual(['a', 'b', 'c']);
  control.confirm('c');
  control.confirm('b');
  expect(control.ids).toEqual(['a', 'b', 'c', 'd']);
});

test('lengths are counted in octets, not characters', () => {
  const control = new ControlSocket();
  const payload = `u|sip||\r\n${'ü'.repeat(2_500)}`;
  for (const id of ['1', '2', '3']) {
    const text = payload.replace('u|', `${id}|`);
    control.socket.write(`${Buffer.byteLength(text)}#${text}`);
  }
  expect(control.ids).toEqual(['1', '2']);
});

test('a frame of 12,000 octets goes, one of 12,001 never does, loudly, and the next one still flows', () => {
  const control = new ControlSocket();
  control.frame('fits', pacingBounds.unconfirmedBytesMax);
  control.confirm('fits');
  control.frame('bursts', pacingBounds.unconfirmedBytesMax + 1);
  control.frame('next', 100);
  expect(control.ids).toEqual(['fits', 'next']);
  expect(control.log.texts('error')).toEqual(['control frame too large for the SIP server, not sent']);
});

test('a confirmation that never comes holds the gate for ten seconds only', () => {
  const control = new ControlSocket();
  control.frame('lost', 9_000);
  control.frame('next', 9_000);
  control.clock.turn(pacingBounds.confirmationTimeoutMs - 1);
  expect(control.ids).toEqual(['lost']);
  control.clock.turn(1);
  expect(control.ids).toEqual(['lost', 'next']);
  expect(control.log.texts('warn')).toEqual(['control frames never confirmed by the SIP server']);
});

test('a server that confirms nothing is given up before the queue grows without bound', () => {
  const control = new ControlSocket();
  const frames = pacingBounds.unconfirmedFramesMax + pacingBounds.queuedFramesMax;
  for (let at = 0; at < frames; at += 1) control.frame(`f${at}`, 60);
  expect(control.socket.destroyed).toBe(false);
  control.frame('one-too-many', 60);
  expect(control.socket.destroyed).toBe(true);
});

test('a closed connection leaves no timer behind', () => {
  const control = new ControlSocket();
  control.frame('a', 60);
  expect(control.clock.nextDue).toBeDefined();
  control.socket.emit('close');
  expect(control.clock.nextDue).toBeUndefined();
});
