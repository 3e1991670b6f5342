/**
 * ACKs of 2xx (RFC 3261 13.2.2.4): requests in the dialog with the CSeq of the INVITE, sent without a transaction and hence
 * once; the same is sent again whenever its 2xx comes again.
 */

import type { Context } from '../context.ts';
import type { Dialog } from '../dialog/dialog.ts';
import type { Peer } from '../input.ts';
import { limits } from '../limits.ts';
import { type AppMessage, writeRequest } from '../message/compose.ts';
import type { OwnAddress } from '../own-addresses.ts';
import type { LongRequests } from '../target/long-requests.ts';
import type { Lookups } from '../target/lookups.ts';
import type { TimerHandle } from '../timer-lanes.ts';
import { ownVia } from './client-call.ts';
import type { DialogWay } from './routing.ts';

export type Acknowledgement = {
  readonly dialog: Dialog;
  readonly cseq: number;
  /** Further headers and body; null: none. */
  readonly app: AppMessage | null;
  readonly way: DialogWay;
};

/** One that went over TCP for its length, and where it goes if nobody is there. */
type Watched = { readonly peer: Peer; readonly overUdp: () => void; readonly end: TimerHandle };

export type AcknowledgementsParts = {
  readonly context: Context;
  readonly lookups: Lookups;
  readonly longRequests: LongRequests;
};

/** Writes and sends them. */
export class Acknowledgements {
  readonly #context: Context;
  readonly #parts: AcknowledgementsParts;
  readonly #watched = new Set<Watched>();

  constructor(parts: AcknowledgementsParts) {
    this.#parts = parts;
    this.#context = parts.context;
  }

  /** Sends it, as soon as its target is known. Gives the text it has if nothing unforeseen is found. */
  send(ack: Acknowledgement): string {
    const { dialog, way } = ack;
    const branch = this.#context.ids.branch();
    const text = this.#write(ack, way.own, branch);
    if (way.to !== null && 'connection' in way.to) this.#sendTo(ack, way.to, text);
    else if (way.to !== null) {
      this.#parts.lookups.first(way.to, (found) => {
        // Where nothing is found the 2xx has still come from somewhere.
        const peer = found ?? dialog.flow;
        const from = this.#context.own.of(peer);
        const written = from === way.own ? text : this.#write(ack, from, branch);
        const tcp = found === null ? null : this.#parts.longRequests.overTcp(peer, written.length);
        if (tcp === null) this.#sendTo(ack, peer, written);
        else this.#sendLong(ack, { udp: peer, tcp, branch });
      });
    }
    return text;
  }

  /** Nobody is there. */
  peerUnreachable({ protocol, host, port }: Peer): void {
    for (const watched of this.#watched) {
      const { peer } = watched;
      if (peer.host !== host || peer.port !== port || peer.protocol !== protocol) continue;
      this.#watched.delete(watched);
      this.#context.stop(watched.end);
      watched.overUdp();
    }
  }

  // RFC 3261 18.1.1: a long request goes over TCP, and over UDP when nobody takes TCP there.
  #sendLong(ack: Acknowledgement, { udp, tcp, branch }: { udp: Peer; tcp: Peer; branch: string }): void {
    this.#sendTo(ack, tcp, this.#write(ack, this.#context.own.of(tcp), branch));
    if (this.#watched.size >= limits.acksWatchedMax) return;
    const watched: Watched = {
      peer: tcp,
      end: this.#context.after(64 * this.#context.timerValues.t1, () => this.#watched.delete(watched)),
      overUdp: () => {
        this.#parts.longRequests.refused(udp);
        // Another INVITE may have been acknowledged since.
        if (ack.dialog.ack?.cseq === ack.cseq)
          this.#sendTo(ack, udp, this.#write(ack, this.#context.own.of(udp), branch));
      },
    };
    this.#watched.add(watched);
  }

  #sendTo({ dialog, cseq }: Acknowledgement, to: Peer, text: string): void {
    dialog.ack = { cseq, text, to };
    this.#context.send(to, text);
  }

  #write({ dialog, cseq, app, way }: Acknowledgement, own: OwnAddress, branch: string): string {
    return writeRequest({
      method: 'ACK',
      uri: way.uri,
      via: ownVia(own, branch),
      routes: way.routes,
      from: dialog.localAddress,
      to: dialog.remoteAddress,
      callId: dialog.callId,
      cseq,
      contact: null,
      app,
      own,
    });
  }
}
