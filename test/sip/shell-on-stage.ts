/** The SIP shell between a drachtio server that the test plays and a core that only notes what it is told. */
import { afterEach, beforeEach } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import type { Input } from '../../src/core/input.ts';
import { SipShell, type SipShellOptions } from '../../src/sip/sip-shell.ts';
import { FakeDrachtio } from '../support/fake-drachtio.ts';
import { waitFor } from '../support/wait.ts';
import { LogBook } from './log-book.ts';
import { factoryInvite, type Headers, offer, requestText, subscribe } from './sip-texts.ts';

type InputOf<Type extends Input['type']> = Extract<Input, { type: Type }>;

export class ShellOnStage {
  readonly shell: SipShell;
  readonly log = new LogBook();
  readonly inputs: Input[] = [];

  constructor(server: SipShellOptions['server'], changes: Partial<SipShellOptions> = {}) {
    let replies = 0;
    const reply = (): string => {
      replies += 1;
      return `sip:${replies}`;
    };
    this.shell = new SipShell({
      server,
      ownDomains: ['conf.example.com'],
      lenient: true,
      auth: 'open',
      isTrustedPeer: () => false,
      sipCore: null,
      challenge: { realm: 'conf.example.com', nonceSecret: 'secret', algorithms: ['SHA-256', 'MD5'] },
      submit: (input) => this.inputs.push(input),
      clock: systemClock,
      ids: { reply },
      log: this.log.log,
      ...changes,
    });
  }

  /** The next input of that type; those before it stay. */
  async input<Type extends Input['type']>(type: Type): Promise<InputOf<Type>> {
    const found = await waitFor(type, () => this.inputs.find((input): input is InputOf<Type> => input.type === type));
    this.inputs.splice(this.inputs.indexOf(found), 1);
    return found;
  }
}

export const conferenceUri = 'sip:conf-7f3a9c51@conf.example.com';
/** The dialog that M-03 makes, and the one that M-10 makes. */
export const aliceDialog = '563b4c76e66712;from-tag=2837302775';
export const subscriptionDialog = 'sub-a11ce-01;from-tag=a11ce5ub';

/** The core's answer to M-03, M-04. */
export const accepted = {
  kind: 'session-accepted',
  endpointId: 'alice',
  contact: conferenceUri,
  toTag: 'fa7e11c0',
  sdp: offer,
  at: 'factory',
  sessionTimer: null,
} as const;

/** The core's answer to M-10, M-11. */
export const subscribed = {
  kind: 'subscription-accepted',
  subscriptionId: 's1',
  contact: conferenceUri,
  toTag: '5b5c0f',
  expires: 3_600,
} as const;

/** A request of Alice in the dialog of her session. */
export function inDialog(method: string, headers: Headers = {}, body = ''): string {
  const to = 'Conf Factory <sip:conf-fact@conf.example.com>;tag=fa7e11c0';
  return requestText(`${method} ${conferenceUri} SIP/2.0`, { 'To': to, ...headers }, body);
}

/** A server for each test of the file, and shells on it that are closed after the test. */
export class Stages {
  #server: FakeDrachtio | null = null;
  readonly #stages: ShellOnStage[] = [];

  constructor() {
    beforeEach(async () => {
      this.#server = await FakeDrachtio.start();
    });
    afterEach(async () => {
      await Promise.all(this.#stages.splice(0).map((stage) => stage.shell.close()));
      await this.server.close();
    });
  }

  get server(): FakeDrachtio {
    if (this.#server === null) throw new Error('a server is there during tests only');
    return this.#server;
  }

  /** A shell that is connected. */
  async connected(changes: Partial<SipShellOptions> = {}): Promise<ShellOnStage> {
    const stage = new ShellOnStage(this.server.address, changes);
    this.#stages.push(stage);
    await stage.shell.connect();
    return stage;
  }

  /** Alice is in: INVITE, 200, ACK. */
  async withAlice(changes: Partial<SipShellOptions> = {}): Promise<ShellOnStage> {
    const stage = await this.connected(changes);
    const transaction = this.server.deliver(factoryInvite());
    stage.shell.reply((await stage.input('invite-received')).reply, accepted);
    await this.server.response(transaction);
    this.server.deliver(inDialog('ACK', { 'CSeq': '203048 ACK' }), { dialogId: aliceDialog });
    await stage.input('ack-received');
    return stage;
  }

  /** Alice has subscribed. */
  async withSubscription(changes: Partial<SipShellOptions> = {}): Promise<ShellOnStage> {
    const stage = await this.connected(changes);
    const transaction = this.server.deliver(subscribe());
    stage.shell.reply((await stage.input('subscribe-received')).reply, subscribed);
    await this.server.response(transaction);
    return stage;
  }
}
