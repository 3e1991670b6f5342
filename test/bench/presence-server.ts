/** The anchor of notifying: Kamailio's presence_conference, which is sent the whole document of each change. */

import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type ConferenceInfoUser, writeConferenceInfo } from '../../src/wire/conference-info.ts';
import { header } from '../../src/wire/sip-message.ts';
import { Kamailio } from '../support/kamailio.ts';
import { freeAddress } from '../support/ports.ts';
import { isInstalled } from '../support/programs.ts';
import { UserAgent } from '../support/user-agent.ts';
import type { Contestant } from './in-turns.ts';
import { cpuMicrosIn } from './measured-service.ts';
import { Opened } from './opened.ts';
import { type Crowd, changeOver, type Room, userCount, watch } from './watched-room.ts';

const configuration = fileURLToPath(new URL('kamailio/presence.cfg', import.meta.url));

type PresenceServer = {
  /** Of all its processes. */
  readonly cpuMicros: () => Promise<number>;
  /** A conference of so many, of which it is told. */
  readonly openRoom: (users: number) => Promise<Room>;
  readonly close: () => Promise<void>;
};

/**
 * Kamailio, a new one for each measurement: 5.6 keeps memory for every NOTIFY it sends of a conference, many times its
 * document, and would soon have all that the machine has. What it costs to start and to be subscribed to does not count.
 */
export function presenceContestant(users: number, { count, changes }: Crowd): Contestant {
  let cpuSoFar = 0;
  return {
    name: 'Kamailio',
    unit: 'NOTIFYs',
    cpuMicros: async () => await Promise.resolve(cpuSoFar),
    measure: async () => {
      await using opened = new Opened();
      const { openRoom, cpuMicros } = opened.keep(await startPresenceServer());
      const room = await openRoom(users);
      const watchers = opened.keep(await watch(room, count));
      const before = await cpuMicros();
      const result = await changeOver(room, { watchers, changes });
      cpuSoFar += (await cpuMicros()) - before;
      return result;
    },
  };
}

/** Starts it with two workers for UDP. */
async function startPresenceServer(): Promise<PresenceServer> {
  if (!isInstalled('kamailio'))
    throw new Error(
      'Kamailio (Debian packages kamailio and kamailio-presence-modules) is the anchor; it is not installed.',
    );
  const address = await freeAddress();
  const kamailio = await Kamailio.run(address, {
    configuration,
    defines: { KAMAILIO_URI: `"sip:127.0.0.1:${address.port}"` },
    megabytes: { shared: 512, each: 16 },
  });
  const publisher = await UserAgent.open({ name: 'publisher', transport: 'udp' });
  return {
    cpuMicros: async () => await cpuOf(kamailio.pid),
    openRoom: async (users) => await publishRoom(publisher, { port: address.port, users }),
    close: async () => {
      await publisher.close();
      await kamailio[Symbol.asyncDispose]();
    },
  };
}

async function publishRoom(
  publisher: UserAgent,
  { port, users }: { readonly port: number; readonly users: number },
): Promise<Room> {
  const uri = `sip:room@127.0.0.1:${port}`;
  let etag: string | undefined;
  let version = 0;
  let present = users;
  const publish = async (): Promise<void> => {
    version += 1;
    const answer = await publisher.ask('PUBLISH', uri, {
      headers: {
        'Event': 'conference',
        'Expires': '3600',
        'Content-Type': 'application/conference-info+xml',
        // RFC 3903 4.4: it replaces what was published before.
        ...(etag === undefined ? {} : { 'SIP-If-Match': etag }),
      },
      body: documentOf(uri, { version, users: present }),
    });
    if (answer.status !== 200) throw new Error(`Kamailio answered ${answer.status} to PUBLISH`);
    etag = header(answer, 'SIP-ETag');
  };
  await publish();
  return {
    uri,
    port,
    subscribers: (count) => Array.from({ length: count }, (_, index) => `sip:watcher${index}@127.0.0.1`),
    next: () => {
      present = present === users ? users + 1 : users;
      return { shows: userCount(present), make: publish };
    },
    // Nobody is told of it any more.
    close: async () => await Promise.resolve(),
  };
}

/** The whole state of a conference in which everybody has dialled in and chats. */
function documentOf(entity: string, { version, users }: { version: number; users: number }): string {
  return writeConferenceInfo({
    entity,
    state: 'full',
    version,
    description: { subject: null, confUris: [{ uri: entity, purpose: 'participation' }], maximumUserCount: null },
    conferenceState: { userCount: users, active: true, locked: false },
    users: Array.from({ length: users }, (_, index) => userOf(index)),
  });
}

function userOf(index: number): ConferenceInfoUser {
  return {
    entity: `sip:member${index}@127.0.0.1:5060`,
    displayText: `Member${index}`,
    roles: ['participant'],
    endpoints: [
      {
        entity: `sip:member${index}-5060@127.0.0.1:5060;transport=udp`,
        referred: null,
        status: 'connected',
        joiningMethod: 'dialed-in',
        joiningInfo: { when: 0, reason: null, by: null },
        disconnectionMethod: null,
        disconnectionInfo: null,
        media: [{ id: '1', type: 'message', status: 'sendrecv' }],
      },
    ],
  };
}

/** CPU time of a process and of those it has started. */
async function cpuOf(pid: number): Promise<number> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  const pids = [String(pid), ...children.trim().split(' ')].filter((each) => each !== '');
  const each = await Promise.all(pids.map(async (one) => cpuMicrosIn(await readFile(`/proc/${one}/stat`, 'utf8'))));
  return each.reduce((sum, micros) => sum + micros, 0);
}
