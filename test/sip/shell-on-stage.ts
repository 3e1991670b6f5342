/** The SIP shell between a SIP server and a core that only notes what it is told. */

import { systemClock } from '../../src/clock.ts';
import type { Input } from '../../src/core/input.ts';
import { SipShell, type SipShellOptions } from '../../src/sip/sip-shell.ts';
import { waitFor } from '../support/wait.ts';
import { LogBook } from './log-book.ts';

type InputOf<Type extends Input['type']> = Extract<Input, { type: Type }>;

export class ShellOnStage {
  readonly shell: SipShell;
  readonly log = new LogBook();
  readonly inputs: Input[] = [];

  constructor(server: SipShellOptions['server'], changes: Partial<SipShellOptions> = {}) {
    let replies = 0;
    this.shell = new SipShell({
      server,
      ownDomains: ['conf.example.com'],
      lenient: true,
      auth: 'open',
      isTrustedPeer: () => false,
      sipCore: null,
      realm: 'conf.example.com',
      submit: (input) => this.inputs.push(input),
      clock: systemClock,
      ids: {
        reply: () => {
          replies += 1;
          return String(replies);
        },
        nonceSecret: 'secret',
      },
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
