/** Two user agents, the embedded SIP server as narrow as the real one, and the shell with its stage. */
import { type Sipd, startSipd } from '../../src/sipd/sipd.ts';
import { UserAgent } from '../support/user-agent.ts';
import { LogBook } from './log-book.ts';
import { ShellOnStage } from './shell-on-stage.ts';

export type StrictStage = {
  readonly sipd: Sipd;
  readonly stage: ShellOnStage;
  readonly alice: UserAgent;
  readonly bob: UserAgent;
  readonly close: () => Promise<void>;
};

export async function openStrictStage(transport: 'udp' | 'tcp'): Promise<StrictStage> {
  const control = { host: '127.0.0.1', port: 0, secret: 'secret' };
  const sipd = await startSipd({ host: '127.0.0.1', port: 0, control, mode: 'strict', log: new LogBook().log });
  const stage = new ShellOnStage({ host: '127.0.0.1', port: sipd.controlPort, secret: 'secret' });
  await stage.shell.connect();
  const alice = await UserAgent.open({ name: 'alice', transport });
  const bob = await UserAgent.open({ name: 'bob', transport });
  const close = async (): Promise<void> => {
    await alice.close();
    await bob.close();
    await stage.shell.close();
    await sipd.close();
  };
  return { sipd, stage, alice, bob, close };
}
