/** What people ask of the focus by REFER, and how they answer what comes of it, in a world of the core alone. */
import type { ReferReceived } from '../../src/core/input.ts';
import type { ReferralRow } from '../../src/core/rows.ts';
import type { Settings } from '../../src/core/settings.ts';
import { readRecipientUri } from '../../src/wire/recipient-uri.ts';
import type { RecipientEntry } from '../../src/wire/resource-lists.ts';
import { addressOf, nameOf, subscribeFrom } from './fixtures.ts';
import { World } from './world.ts';

/** A conference that Alice has made, and in which Bob is. */
export function conferenceOfTwo(changes: Partial<Settings> = {}): World {
  const world = new World(changes);
  world.factoryInvite(['bob']);
  world.answers('bob');
  world.ladder.take();
  return world;
}

export type Referring = Partial<ReferReceived> & {
  /** What Refer-To names: people by name, or URIs as they come. */
  readonly to?: string | readonly string[];
  /** Sent within the referrer's session; default: outside any dialog. */
  readonly inSession?: boolean;
};

/** A REFER outside any dialog, for the people or URIs in `to`. */
export function referFrom(
  name: string,
  target: string,
  { to = 'carol', lenient = true, ...changes }: Omit<Referring, 'inSession'> & { readonly lenient?: boolean } = {},
): ReferReceived {
  const { type: _type, event: _event, expires: _expires, ...facts } = subscribeFrom(name, target);
  const uris = typeof to === 'string' ? [to] : to;
  return {
    ...facts,
    method: 'REFER',
    received: `REFER ${target} SIP/2.0`,
    endpointId: null,
    further: false,
    contact: `sip:${name}@pc.${name}.example.com`,
    maxForwards: 70,
    targets: uris.map((uri, position) => entryOf(uri, position, lenient)),
    viaList: uris.length > 1,
    wantsSubscription: true,
    referredBy: null,
    targetDialog: null,
    ...changes,
    type: 'refer-received',
  };
}

/** Somebody sends REFER to the conference. */
export function refers(world: World, name: string, { inSession = false, ...given }: Referring): ReferReceived {
  const session = inSession ? world.participant(name).endpoints.at(-1) : undefined;
  const within = session === undefined ? {} : { endpointId: session.id, dialogId: session.dialogId };
  const { lenient } = world.settings;
  const input = referFrom(name, world.conferenceUri, { lenient, ...within, ...given });
  world.ladder.add(name, 'focus', `REFER ${input.targets.map(({ raw }) => raw).join(' ')}`);
  world.happens(input);
  return input;
}

/** The referrer's NOTIFY transaction ends. */
export function answersReferNotify(world: World, name: string, status = 200): void {
  world.ladder.add(name, 'focus', `${status} NOTIFY refer`);
  world.happens({ type: 'referral-notify-answered', referralId: referralOf(world, name).id, status });
}

/** Somebody answers a REFER of ours. */
export function answersRefer(world: World, name: string, of: { by: string; status: number }): void {
  world.ladder.add(name, 'focus', `${of.status} REFER`);
  const cause = { status: of.status, reason: `Reason ${of.status}` };
  world.happens({ type: 'refer-answered', referralId: referralOf(world, of.by).id, target: 0, cause });
}

/** The referrer sends SUBSCRIBE in the REFER's dialog. */
export function refreshesReferral(world: World, name: string, expires: number | null): string {
  const { type: _type, event: _event, ...facts } = subscribeFrom(name, world.conferenceUri);
  world.ladder.add(name, 'focus', `SUBSCRIBE refer${expires === null ? '' : ` Expires: ${expires}`}`);
  world.happens({ ...facts, type: 'referral-refreshed', referralId: referralOf(world, name).id, expires });
  return facts.reply;
}

/** The latest REFER of somebody, as it is saved. */
export function referralOf(world: World, name: string): ReferralRow {
  const row = [...world.saved.referrals.values()].filter(({ by }) => nameOf(by) === name).at(-1);
  if (row === undefined) throw new Error(`no REFER of ${name} was accepted`);
  return row;
}

function entryOf(uri: string, position: number, lenient: boolean): RecipientEntry {
  const raw = addressed(uri);
  const own = { raw, position, displayName: null, copyControl: 'bcc', anonymize: false } as const;
  return { ...own, ...readRecipientUri(raw, { lenient, purpose: 'refer' }) };
}

/** `carol;method=BYE` with Carol's address in place of her name. */
function addressed(uri: string): string {
  const name = /^[a-z]+(?=$|[;?])/.exec(uri)?.[0] ?? '';
  return `${addressOf[name] ?? name}${uri.slice(name.length)}`;
}
