/** SIPp and a drachtio-srf application call each other over sipd, a hundred times at once, each way of it. */
import { describe, expect, test } from 'vitest';
import type { AppDialog, Application, AppRequest } from '../sipd/application.ts';
import { onStage, type Stage } from '../sipd/stage.ts';
import { needsPrograms } from '../support/programs.ts';
import type { Transport } from '../support/sip-socket.ts';
import { Sipp } from '../support/sipp.ts';
import { unhurried } from '../support/unhurried.ts';
import { waitFor } from '../support/wait.ts';

const sdp = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n';
const calls = 100;
/** A tenth of RFC 3261's, so that 64*T1, for which finished transactions stay, is 3.2 s. */
const timers = { t1: 50, t2: 400, t4: 500 };

type Answered = { begun: number; changed: number; ended: number };

/** Rings, takes the call, and every change of it. */
function answerAll(application: Application): Answered {
  const book: Answered = { begun: 0, changed: 0, ended: 0 };
  application.use('invite', (request, response) => {
    book.begun += 1;
    response.send(180);
    void application.createUAS(request, response, { localSdp: sdp }).then((dialog) => {
      dialog.on('modify', (_, answer) => {
        book.changed += 1;
        (answer as { send: (status: number, options: object) => void }).send(200, { body: sdp });
      });
      dialog.on('destroy', () => (book.ended += 1));
    });
  });
  return book;
}

async function idle(stage: Stage): Promise<void> {
  const counts = (): string => JSON.stringify(stage.sipd.counts());
  const none = (): boolean => Object.values(stage.sipd.counts()).every((count) => count === 0);
  await waitFor('sipd to have nothing left', none).catch((error: unknown) => {
    throw new Error(`${String(error)}: ${counts()}`);
  });
}

/** SIPp calls the server to its end, with this scenario. */
async function callIn(stage: Stage, transport: Transport, scenario: string): Promise<void> {
  const remote = { host: '127.0.0.1', port: stage.port };
  await using caller = await Sipp.start({ scenario, transport, remote, calls, more: ['-r', '50'] });
  await caller.succeeded();
}

const uriOf = ({ address }: Sipp, transport: Transport): string =>
  `sip:callee@${address.host}:${address.port};transport=${transport}`;

async function callOut(application: Application, uri: string): Promise<void> {
  const dialog: AppDialog = await application.createUAC(uri, { localSdp: sdp });
  await dialog.modify(sdp);
  await dialog.destroy();
}

/** Calls, and cancels once it rings. */
async function cancelOut(application: Application, uri: string): Promise<void> {
  let sent: AppRequest | undefined;
  const calling = application.createUAC(
    uri,
    { localSdp: sdp },
    {
      cbRequest: (_, request) => (sent = request),
      cbProvisional: ({ status }) => {
        if (status === 180) sent?.cancel(() => undefined);
      },
    },
  );
  await expect(calling).rejects.toMatchObject({ status: 487 });
}

const times = <T>(what: () => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: calls }, what));

describe.each(['free', 'strict'] as const)('sipd in %s mode', (mode) => {
  describe.each<Transport>(['udp', 'tcp'])('over %s', (transport) => {
    test('SIPp calls, changes the session and hangs up', async (context) => {
      needsPrograms(context, 'sipp');
      await onStage(
        mode,
        async (stage) => {
          const book = answerAll(await stage.application());
          await callIn(stage, transport, 'caller');
          await idle(stage);
          expect(book).toEqual({ begun: calls, changed: calls, ended: calls });
        },
        { ...unhurried, timers },
      );
    });

    test('SIPp calls and cancels', async (context) => {
      needsPrograms(context, 'sipp');
      await onStage(
        mode,
        async (stage) => {
          const application = await stage.application();
          let cancelled = 0;
          application.use('invite', (request, response) => {
            request.on('cancel', () => (cancelled += 1));
            response.send(180);
          });
          await callIn(stage, transport, 'caller-cancels');
          await idle(stage);
          expect(cancelled).toBe(calls);
        },
        { ...unhurried, timers },
      );
    });

    test('SIPp is called, the session is changed, and it is hung up', async (context) => {
      needsPrograms(context, 'sipp');
      await onStage(
        mode,
        async (stage) => {
          const application = await stage.application();
          await using callee = await Sipp.start({ scenario: 'callee', transport, calls });
          await times(() => callOut(application, uriOf(callee, transport)));
          await callee.succeeded();
          await idle(stage);
        },
        { ...unhurried, timers },
      );
    });

    test('SIPp is called, and the call is taken back', async (context) => {
      needsPrograms(context, 'sipp');
      await onStage(
        mode,
        async (stage) => {
          const application = await stage.application();
          await using callee = await Sipp.start({ scenario: 'callee-cancelled', transport, calls });
          await times(() => cancelOut(application, uriOf(callee, transport)));
          await callee.succeeded();
          await idle(stage);
        },
        { ...unhurried, timers },
      );
    });
  });

  test('all that SIPp says twice over UDP is taken once', async (context) => {
    needsPrograms(context, 'sipp');
    await onStage(
      mode,
      async (stage) => {
        const book = answerAll(await stage.application());
        await callIn(stage, 'udp', 'caller-stutters');
        await idle(stage);
        expect(book).toEqual({ begun: calls, changed: 0, ended: calls });
      },
      { ...unhurried, timers },
    );
  });
});
