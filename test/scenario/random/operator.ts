import type { ConferencePolicy, GroupRow } from '../../../src/core/rows.ts';
import { parseSipUri } from '../../../src/wire/sip-uri.ts';
import { groupRow, userRow } from '../../support/stored-rows.ts';
import { addressOf, ask, groupNames, names, type Scene, type Step, someConference, someOf } from './scene.ts';

/** What operators ask for and define, and what happens to the machine. */

const actor = 'key:1';
let commands = 0;

function replyTo(): string {
  commands += 1;
  return `http:${commands}`;
}

export const asksForConference: Step = (scene) => {
  const { chance, store } = scene;
  if (store.running.length >= 12) return null;
  const participants = Array.from({ length: chance.below(5) }, () => ({
    raw: chance.happens(95) ? addressOf(chance.pick(names)) : 'mailto:somebody@example.com',
    displayName: null,
    role: chance.pick(['chair', 'participant', 'observer'] as const),
    replaces: null,
  }));
  const dryRun = chance.happens(20);
  ask(scene, {
    type: 'conference-requested',
    reply: replyTo(),
    actor,
    subject: null,
    participants,
    policy: { ...somePolicy(scene), end: chance.pick(['last-leaves', 'idle', 'creator-leaves']) },
    maxParticipants: chance.happens(20) ? 1 + chance.below(4) : null,
    locked: chance.happens(5),
    labels: {},
    dryRun,
  });
  return `operator ${dryRun ? 'plans' : 'makes'} a conference of ${participants.length}`;
};

function somePolicy({ chance }: Scene): ConferencePolicy {
  return {
    end: chance.pick(['last-leaves', 'idle', 'creator-leaves']),
    idleSeconds: chance.pick([1, 30, 300]),
    join: chance.pick(['anyone', 'members']),
    subscribe: chance.pick(['anyone', 'members', 'participants']),
    invite: chance.pick(['chairs', 'participants']),
    nicknames: chance.happens(80),
    privateMessages: chance.happens(80),
    history: chance.pick(['off', 'facts', 'content']),
    historyDays: chance.pick([1, 30]),
    greeting: chance.happens(30),
    announcements: chance.happens(30),
    transport: 'any',
  };
}

export const changesConference: Step = (scene) => {
  const { chance } = scene;
  const row = someConference(scene);
  if (row === null) return null;
  const what = chance.pick([
    { locked: true },
    { locked: false },
    { subject: 'another' },
    { maxParticipants: 1 + chance.below(5) },
    { maxParticipants: null },
    { labels: { room: String(chance.below(3)) } },
  ]);
  const asKnown = chance.happens(30) ? { asKnown: { version: row.version, labels: row.labels } } : {};
  ask(scene, { type: 'change-requested', reply: replyTo(), actor, conferenceId: row.id, ...what, ...asKnown });
  return `operator changes ${row.id}: ${JSON.stringify(what)}`;
};

export const dialsOut: Step = (scene) => {
  const { chance } = scene;
  const row = someConference(scene);
  if (row === null) return null;
  const raw = addressOf(chance.pick(names));
  const order = { uri: parseSipUri(raw), raw, displayName: null, role: 'participant', replaces: null } as const;
  ask(scene, { type: 'participant-requested', reply: replyTo(), actor, conferenceId: row.id, ...order });
  return `operator dials ${raw} into ${row.id}`;
};

export const removes: Step = (scene) => {
  const row = someConference(scene);
  const participant = row === null ? null : someOf(scene, scene.store.participantsOf(row.id));
  if (row === null || participant === null) return null;
  const asked = { conferenceId: row.id, participantId: participant.id, reason: null };
  ask(scene, { type: 'removal-requested', reply: replyTo(), actor, ...asked });
  return `operator removes ${participant.uri} from ${row.id}`;
};

export const says: Step = (scene) => {
  const { chance, store } = scene;
  const row = someConference(scene);
  if (row === null) return null;
  const some = chance.happens(30) ? someOf(scene, store.participantsOf(row.id)) : null;
  const said = { contentType: 'text/plain', text: 'Listen', participantIds: some === null ? null : [some.id] };
  ask(scene, { type: 'notice-requested', reply: replyTo(), actor, conferenceId: row.id, ...said });
  return `operator speaks to ${some?.uri ?? 'all'} in ${row.id}`;
};

export const ends: Step = (scene) => {
  const row = someConference(scene);
  if (row === null) return null;
  ask(scene, { type: 'end-requested', reply: replyTo(), actor, conferenceId: row.id, reason: null });
  return `operator ends ${row.id}`;
};

let revision = 0;

export const definesGroup: Step = (scene) => {
  const { chance, submit } = scene;
  const id = chance.pick(groupNames);
  if (chance.happens(15)) {
    submit({ type: 'group-removed', groupId: id });
    return `group ${id} removed`;
  }
  submit({ type: 'group-defined', group: someGroup(scene, id) });
  return `group ${id} defined`;
};

/** A group as it may be defined. */
export function someGroup(scene: Scene, id: string): GroupRow {
  const { chance } = scene;
  revision += 1;
  const members = names
    .filter(() => chance.happens(35))
    .map((name) => ({
      uri: addressOf(name),
      displayName: null,
      role: chance.happens(20) ? ('chair' as const) : ('participant' as const),
    }));
  const { end, ...rest } = somePolicy(scene);
  const maxParticipants = chance.happens(10) ? 2 : null;
  return groupRow({ id, members, policy: { end, ...rest }, maxParticipants, revision });
}

export const definesUser: Step = (scene) => {
  const { chance, submit } = scene;
  const name = chance.pick(names);
  revision += 1;
  if (chance.happens(60)) {
    submit({ type: 'user-removed', userId: name });
    return `user ${name} removed`;
  }
  const said = { barred: chance.happens(30), mayCreate: chance.happens(70), consents: chance.happens(50) };
  submit({ type: 'user-defined', user: userRow({ id: name, uri: addressOf(name), revision, ...said }) });
  return `user ${name} defined`;
};

/** The connection to the SIP server is lost, with every dialog. */
export const losesServer: Step = ({ outside, submit }) => {
  outside.lose();
  submit({ type: 'sip-server-lost', conferenceId: null });
  return 'the SIP server is lost';
};

/** One conference is to end as if its dialogs were lost. */
export const losesConference: Step = (scene) => {
  const row = someConference(scene);
  if (row === null) return null;
  scene.submit({ type: 'sip-server-lost', conferenceId: row.id });
  return `${row.id} is given up`;
};

export const holdsStore: Step = ({ store }) => {
  store.hold();
  return 'the store is slow';
};

export const releasesStore: Step = ({ store }) => {
  store.release();
  return 'the store goes on';
};

export const failsStore: Step = ({ chance, store }) => {
  const failure = chance.pick(['before', 'before', 'after'] as const);
  const loads = chance.happens(20) ? 1 : 0;
  store.failNext(failure, loads);
  return `the next write fails ${failure} it is kept`;
};

export const passesTime: Step = ({ chance, clock }) => {
  const ms = chance.pick([100, 500, 1_000, 1_000, 2_000, 5_000, 12_000, 31_000, 61_000]);
  clock.turn(ms);
  return `${ms} ms pass`;
};
