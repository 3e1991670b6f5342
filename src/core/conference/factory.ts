import { writeSipUri } from '../../wire/sip-uri.ts';
import type { Ids } from '../ids.ts';
import type { Caller, InviteReceived } from '../input.ts';
import { limits } from '../limits.ts';
import type { ConferencePolicy, ConferenceRecord, ConferenceRow, Instant } from '../rows.ts';
import type { Settings } from '../settings.ts';
import { type Invitee, inviteesOf, type ListReading } from './invitees.ts';
import { shortened } from './participant.ts';
import { extensionRefused, type Refused, sdpNotAcceptable } from './requirements.ts';

/** What a factory INVITE asks for, judged (RFC 4579 5.4, RFC 5366 5). */
export type FactoryPlan = {
  readonly record: ConferenceRecord;
  readonly invitees: readonly Invitee[];
  readonly quirks: readonly string[];
};

/** The conference to make, or why not; nothing is changed yet. */
export function planConference(
  input: InviteReceived,
  who: { readonly caller: Caller; readonly now: Instant },
  parts: { readonly settings: Settings; readonly ids: Ids; readonly isFocus: ListReading['isFocus'] },
): FactoryPlan | Refused {
  const { settings, ids } = parts;
  const quirks = [...input.quirks];
  const refused = judge(input, settings, quirks);
  if (refused !== null) return refused;
  const invitees = inviteesOf(input.list ?? [], { creatorAor: who.caller.aor, settings, isFocus: parts.isFocus });
  const conference = newConference(input, who, { id: ids.row(), user: ids.conferenceUser(), settings });
  return { record: { conference, participants: [], subscriptions: [] }, invitees, quirks };
}

function judge(input: InviteReceived, settings: Settings, quirks: string[]): Refused | null {
  const refused =
    extensionRefused(input.requires.filter((option) => !isSupported(option, input, { settings, quirks }))) ??
    sdpNotAcceptable(input);
  if (refused !== null) return refused;
  if (input.requires.length > 0 && input.list === null)
    return { code: 'list-missing', detail: 'No recipient-list part came' };
  if ((input.list?.length ?? 0) > limits.listEntriesMax) {
    return { code: 'list-too-long', detail: `More than ${limits.listEntriesMax} entries` };
  }
  return null;
}

/** QK-2: the option of list subscriptions (RFC 5367) stands for that of list invitations when a list is there. */
function isSupported(
  option: string,
  input: InviteReceived,
  reading: { settings: Settings; quirks: string[] },
): boolean {
  if (option === 'recipient-list-invite') return true;
  if (option !== 'recipient-list-subscribe' || !reading.settings.lenient || input.list === null) return false;
  reading.quirks.push('QK-2');
  return true;
}

/** What holds in a conference that nobody has said anything else for. */
export function adHocPolicy(settings: Settings): ConferencePolicy {
  const { endPolicy: end, idleSeconds } = settings;
  return { end, idleSeconds, join: 'anyone', subscribe: 'participants', invite: 'participants' };
}

function newConference(
  input: InviteReceived,
  who: { readonly caller: Caller; readonly now: Instant },
  made: { id: string; user: string; settings: Settings },
): ConferenceRow {
  return {
    id: made.id,
    node: made.settings.node,
    uri: `sip:conf-${made.user}@${made.settings.conferenceAuthority}`,
    factoryUri: writeSipUri(input.target),
    kind: 'ad_hoc',
    groupId: null,
    status: 'creating',
    subject: input.subject === null ? null : shortened(input.subject),
    locked: false,
    maxParticipants: null,
    policy: adHocPolicy(made.settings),
    createdBy: who.caller.aor,
    createdAt: who.now,
    activatedAt: null,
    endedAt: null,
    endReason: null,
    endedBy: null,
    participantCount: 0,
    peakParticipants: 0,
    messageCount: 0,
    version: 0,
    seq: 0,
    labels: {},
  };
}
