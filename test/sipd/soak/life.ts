/** One call, subscription or message from its beginning to its end: what its peer and the application do is chance. */
import { Chance } from '../fuzz/chance.ts';
import { headerLines } from '../stack-world.ts';

/** What a life does to the stack. `later` is a step that some time or never comes after others. */
export type Ground = {
  readonly receive: (text: string) => void;
  readonly say: (transactionId: string, dialogId: string, text: string) => void;
  readonly later: (step: () => void) => void;
};

export type Told = { readonly transactionId: string; readonly dialogId: string; readonly text: string };

/** What the application has in a dialog, and has to end. */
type Duty = { readonly kind: 'call' | 'notify' | 'subscribed'; readonly dialogId: string; readonly event: string };

const kinds = ['called', 'called', 'called', 'calling', 'calling', 'subscribed', 'subscribing', 'refer', 'message'];

/** Its Call-ID names it. The application does what it must: it acknowledges, and ends what it has begun. */
export class Life {
  readonly callId: string;
  readonly #ground: Ground;
  readonly #chance: Chance;
  readonly #duties: Duty[] = [];
  /** The peer says nothing any more. */
  #vanished = false;
  #branches = 0;
  #cseq = 1;
  #rseq = 0;
  /** From and To of the peer's requests in the dialog. */
  #names: readonly string[] = [];
  /** The INVITE of the application that it sent last. */
  #asked = '';

  constructor(number: number, ground: Ground) {
    this.callId = `life-${number}`;
    this.#ground = ground;
    this.#chance = new Chance(number);
  }

  begin(): void {
    const kind = this.#chance.pick(kinds);
    if (kind === 'called') this.#invite();
    else if (kind === 'calling') this.#ask('INVITE', 'Supported: timer');
    else if (kind === 'subscribed') this.#asks('SUBSCRIBE', ['Event: presence', 'Expires: 600']);
    else if (kind === 'subscribing') this.#ask('SUBSCRIBE', 'Event: presence');
    else if (kind === 'refer') this.#asks('REFER', ['Refer-To: <sip:carol@example.com>']);
    else this.#asks(this.#chance.pick(['MESSAGE', 'OPTIONS', 'BYE', 'UPDATE', 'NOTIFY', 'PUBLISH']), []);
  }

  /** The server has sent something to the peer. */
  heard(text: string): void {
    if (this.#chance.happens(2)) this.#vanished = true;
    if (this.#vanished) return;
    if (text.startsWith('SIP/2.0 ')) this.#heardAnswer(text);
    else this.#heardRequest(text);
  }

  /** The server has told the application something. */
  told({ transactionId, dialogId, text }: Told): void {
    if (transactionId === 'unsolicited') this.#rid('call', dialogId);
    else if (text.startsWith('SIP/2.0 ')) this.#toldAnswer(dialogId, text);
    else this.#toldRequest({ transactionId, dialogId, text });
  }

  /** The application ends whatever it has left. */
  wind(): void {
    for (const { kind, dialogId, event } of this.#duties.splice(0)) {
      if (kind === 'call') this.#ask('BYE', '', dialogId);
      else if (kind === 'subscribed') this.#ask('SUBSCRIBE', `Event: ${event}\r\nExpires: 0`, dialogId);
      else this.#ask('NOTIFY', `Event: ${event}\r\nSubscription-State: terminated`, dialogId);
    }
  }

  // The peer.

  #invite(): void {
    const more = [
      ...(this.#chance.happens(40) ? ['Supported: timer, 100rel'] : ['Supported: timer']),
      ...(this.#chance.happens(30) ? ['Session-Expires: 90;refresher=uac'] : []),
    ];
    const text = this.#asks('INVITE', more);
    if (this.#chance.happens(15)) this.#maybeLater(() => this.#receive(text.replaceAll('INVITE', 'CANCEL')));
    if (this.#chance.happens(5)) this.#receive(text);
    if (this.#chance.happens(3)) this.#maybeLater(() => this.#asks('INVITE', more));
  }

  #heardAnswer(text: string): void {
    const method = methodOf(text);
    const status = Number(text.slice(8, 11));
    const cseq = numberOf(text);
    if (status > 100 && status < 300) {
      this.#names = ['From', 'To'].flatMap((name) => headerLines(text, name));
    }
    if (method !== 'INVITE') return;
    if (status >= 300) {
      const via = headerLines(text, 'Via').join('\r\n');
      const [from = '', to = ''] = ['From', 'To'].flatMap((name) => headerLines(text, name));
      this.#maybeLater(() =>
        this.#receive(`ACK sip:focus@10.0.0.9 SIP/2.0\r\n${via}\r\n${from}\r\n${to}\r\n${this.#rest(cseq, 'ACK')}`),
      );
    } else if (status >= 200) {
      if (this.#chance.happens(97)) this.#maybeLater(() => this.#inDialog('ACK', [], Number(cseq)));
      this.#livesOn();
    } else if (headerLines(text, 'RSeq').length > 0) {
      const rack = `RAck: ${headerLines(text, 'RSeq')[0]?.slice(6)} ${cseq} INVITE`;
      if (this.#chance.happens(85)) this.#maybeLater(() => this.#inDialog('PRACK', [rack]));
    } else if (status > 100 && this.#chance.happens(5)) this.#maybeLater(() => this.#inDialog('BYE', []));
  }

  /** What the peer does in a call. */
  #livesOn(): void {
    while (this.#chance.happens(40)) {
      const method = this.#chance.pick([
        'INVITE',
        'INVITE',
        'UPDATE',
        'INFO',
        'MESSAGE',
        'REFER',
        'SUBSCRIBE',
        'NOTIFY',
        'PRACK',
      ]);
      const more = {
        INVITE: this.#chance.happens(50) ? ['Session-Expires: 90;refresher=uac', 'Supported: timer'] : [],
        UPDATE: this.#chance.happens(50) ? ['Session-Expires: 90;refresher=uas', 'Supported: timer'] : [],
        REFER: ['Refer-To: <sip:carol@example.com>'],
        SUBSCRIBE: ['Event: presence', 'Expires: 600'],
        NOTIFY: ['Event: presence', 'Subscription-State: terminated'],
      };
      const headers = more[method as keyof typeof more] ?? [];
      this.#maybeLater(() => this.#inDialog(method, headers));
    }
    if (this.#chance.happens(60)) this.#maybeLater(() => this.#inDialog('BYE', []));
  }

  #heardRequest(text: string): void {
    const [method = ''] = text.split(' ', 1);
    if (method === 'ACK') return;
    if (this.#chance.happens(5)) return;
    const names = ['From', 'To'].flatMap((name) => headerLines(text, name));
    const tag = names[1]?.includes(';tag=') === true ? '' : `;tag=phone${this.#chance.below(3)}`;
    // The other side's names are ours the other way round.
    this.#names = [`From${names[1]?.slice(2) ?? ''}${tag}`, `To${names[0]?.slice(4) ?? ''}`];
    if (method === 'INVITE') this.#ring(text, tag);
    else {
      if (method === 'SUBSCRIBE' && this.#chance.happens(70)) {
        const state = this.#chance.pick(['active', 'terminated']);
        this.#maybeLater(() => this.#inDialog('NOTIFY', ['Event: presence', `Subscription-State: ${state}`]));
      }
      const status = this.#chance.pick([
        '200 OK',
        '200 OK',
        '200 OK',
        '200 OK',
        '401 X',
        '481 X',
        '500 X',
        '404 X',
        '408 X',
      ]);
      this.#maybeLater(() => this.#answer(text, { status, tag }));
    }
  }

  #ring(invite: string, tag: string): void {
    const phones = tag === '' ? [''] : [tag, `;tag=phone${this.#chance.below(3)}`];
    while (this.#chance.happens(50)) {
      const phone = this.#chance.pick(phones);
      const reliable = this.#chance.happens(40);
      if (reliable) this.#rseq += 1;
      const more = reliable ? ['Require: 100rel', `RSeq: ${this.#rseq}`] : [];
      const status = this.#chance.pick(['100 Trying', '180 Ringing', '183 X']);
      this.#maybeLater(() => this.#answer(invite, { status, tag: phone, more }));
    }
    if (this.#chance.happens(8)) return;
    for (const phone of this.#chance.happens(8) ? phones : [this.#chance.pick(phones)]) {
      const status = this.#chance.pick(['200 OK', '200 OK', '200 OK', '486 X', '401 X', '487 X', '503 X', '302 X']);
      const more = this.#chance.happens(30)
        ? ['Session-Expires: 90;refresher=uac', 'Require: timer', 'Allow: UPDATE']
        : [];
      this.#maybeLater(() => {
        this.#answer(invite, { status, tag: phone, more });
        if (status === '200 OK') this.#livesOn();
      });
    }
  }

  #asks(method: string, more: readonly string[]): string {
    this.#branches += 1;
    const text =
      `${method} sip:focus@10.0.0.9 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK-${this.callId}-${this.#branches}\r\n` +
      `From: <sip:alice@example.com>;tag=alice\r\nTo: <sip:focus@example.com>\r\n${this.#rest(String(this.#cseq), method, more)}`;
    this.#receive(text);
    return text;
  }

  #inDialog(method: string, more: readonly string[], ofInvite?: number): void {
    if (ofInvite === undefined) this.#cseq += this.#chance.pick([1, 1, 1, 1, 2, 0]);
    this.#branches += 1;
    this.#receive(
      `${method} sip:focus@10.0.0.9 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK-${this.callId}-${this.#branches}\r\n` +
        `${this.#names.join('\r\n')}\r\n${this.#rest(String(ofInvite ?? this.#cseq), method, more)}`,
    );
  }

  #answer(request: string, answer: { status: string; tag: string; more?: readonly string[] }): void {
    const { status, tag, more = [] } = answer;
    const copied = ['Via', 'From', 'To', 'Call-ID', 'CSeq'].flatMap((name) => headerLines(request, name));
    copied[2] += status.startsWith('100') ? '' : tag;
    const lines = [`SIP/2.0 ${status}`, ...copied, 'Contact: <sip:alice@10.0.0.1>', ...more, 'Content-Length: 0'];
    this.#receive(`${lines.join('\r\n')}\r\n\r\n`);
  }

  #rest(cseq: string, method: string, more: readonly string[] = []): string {
    const lines = [`Call-ID: ${this.callId}`, `CSeq: ${cseq} ${method}`, 'Contact: <sip:alice@10.0.0.1>', ...more];
    return `${lines.join('\r\n')}\r\nContent-Length: 0\r\n\r\n`;
  }

  #receive(text: string): void {
    if (!this.#vanished) this.#ground.receive(text);
  }

  // The application.

  #toldRequest({ transactionId, dialogId, text }: Told): void {
    const [method = ''] = text.split(' ', 1);
    if (method === 'ACK' || method === 'CANCEL') return;
    if (method === 'BYE') this.#rid('call', dialogId);
    if (method === 'INVITE') {
      while (this.#chance.happens(40)) {
        const require = this.#chance.happens(40) ? 'Require: 100rel' : '';
        this.#maybeLater(() => this.#say(transactionId, '183 X', require));
      }
    }
    if (this.#chance.happens(4)) return;
    const status = this.#chance.pick(['200 OK', '200 OK', '200 OK', '202 X', '486 X', '404 X', '481 X']);
    const timer = method === 'INVITE' && this.#chance.happens(20) ? 'Session-Expires: 90;refresher=uas' : '';
    this.#maybeLater(() => this.#say(transactionId, status, timer));
  }

  #toldAnswer(dialogId: string, text: string): void {
    const status = Number(text.slice(8, 11));
    const method = methodOf(text);
    const [rseq] = headerLines(text, 'RSeq');
    const cseq = numberOf(text);
    if (method === 'INVITE' && status > 100 && status < 200 && rseq !== undefined && this.#chance.happens(90)) {
      this.#maybeLater(() => this.#ask('PRACK', `RAck: ${rseq.slice(6)} ${cseq} INVITE`, dialogId));
    }
    if (status < 200 || status > 299 || dialogId === '') return;
    if (method === 'INVITE') {
      this.#ask('ACK', '', dialogId);
      this.#owe('call', dialogId, '');
      while (this.#chance.happens(30)) {
        const asked = this.#chance.pick(['INVITE', 'UPDATE', 'INFO', 'REFER']);
        this.#maybeLater(() => this.#ask(asked, '', dialogId));
      }
      if (this.#chance.happens(40)) this.#maybeLater(() => this.#hangUp(dialogId));
    } else if (method === 'SUBSCRIBE' && !/expires: 0/i.test(text)) this.#owe('subscribed', dialogId, 'presence');
  }

  /** The server has sent an answer of the application. */
  answered(dialogId: string, text: string): void {
    const status = Number(text.slice(8, 11));
    const method = methodOf(text);
    if (status < 200 || status > 299 || dialogId === '') return;
    if (method === 'INVITE') {
      this.#owe('call', dialogId, '');
      if (this.#chance.happens(20)) this.#maybeLater(() => this.#hangUp(dialogId));
    } else if (method === 'SUBSCRIBE') this.#owe('notify', dialogId, 'presence');
    else if (method === 'REFER') this.#owe('notify', dialogId, `refer;id=${numberOf(text)}`);
  }

  #hangUp(dialogId: string): void {
    this.#rid('call', dialogId);
    this.#ask('BYE', '', dialogId);
  }

  #owe(kind: Duty['kind'], dialogId: string, event: string): void {
    if (this.#duties.some((each) => each.kind === kind && each.dialogId === dialogId && each.event === event)) return;
    this.#duties.push({ kind, dialogId, event });
  }

  #rid(kind: Duty['kind'], dialogId: string): void {
    const at = this.#duties.findIndex((each) => each.kind === kind && each.dialogId === dialogId);
    if (at !== -1) this.#duties.splice(at, 1);
  }

  #ask(method: string, header: string, dialogId = ''): void {
    const uri = dialogId === '' ? 'sip:alice@10.0.0.1' : 'sip:placeholder';
    const named = dialogId === '' ? `Call-ID: ${this.callId}\r\n` : '';
    this.#ground.say('', dialogId, `${method} ${uri} SIP/2.0\r\n${named}${header === '' ? '' : `${header}\r\n`}\r\n`);
    if (method !== 'INVITE' || dialogId !== '' || !this.#chance.happens(20)) return;
    this.#maybeLater(() => this.#cancel());
  }

  /** The server has taken a request of the application. */
  took(transactionId: string, text: string): void {
    if (text.startsWith('INVITE ')) this.#asked = transactionId;
  }

  #cancel(): void {
    if (this.#asked !== '') this.#ground.say(this.#asked, '', 'CANCEL sip:alice@10.0.0.1 SIP/2.0\r\n\r\n');
  }

  #say(transactionId: string, status: string, header: string): void {
    this.#ground.say(transactionId, '', `SIP/2.0 ${status}\r\n${header === '' ? '' : `${header}\r\n`}\r\n`);
  }

  #maybeLater(step: () => void): void {
    if (this.#chance.happens(30)) step();
    else this.#ground.later(step);
  }
}

function methodOf(text: string): string {
  return headerLines(text, 'CSeq')[0]?.split(' ')[2] ?? '';
}

function numberOf(text: string): string {
  return headerLines(text, 'CSeq')[0]?.split(' ')[1] ?? '';
}
