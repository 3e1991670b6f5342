/** What the tests read over REST, as a client would declare it for itself. */
import type { Service } from './service.ts';
import { waitFor } from './wait.ts';

export type SipCauseView = { readonly status: number; readonly reason: string };

export type ConferenceView = {
  readonly id: string;
  readonly uri: string;
  readonly status: string;
  readonly subject: string | null;
  readonly created_by: string;
  readonly end_reason: string | null;
  readonly participant_count: number;
  readonly message_count: number;
};

export type ReplacesView = { readonly call_id: string; readonly to_tag: string; readonly from_tag: string };

export type ParticipantView = {
  readonly id: string;
  readonly uri: string;
  readonly status: string;
  readonly joining_method: string;
  readonly referred_by: string | null;
  readonly disconnection: { readonly method: string; readonly sip_status: number | null } | null;
  readonly list_entry: { readonly raw: string; readonly uri: string | null; readonly quirks: readonly string[] } | null;
  readonly attempts: readonly { readonly replaces: ReplacesView | null; readonly outcome: SipCauseView | null }[];
  readonly last_error: SipCauseView | null;
};

export type AttemptView = {
  readonly method: string;
  readonly caller: string | null;
  readonly call_id: string | null;
  readonly code: string;
  readonly status: number;
  readonly reason: string;
  readonly received: string;
};

type Page<T> = { readonly data: readonly T[] };

/** The conference with this URI; undefined when REST lists none. */
export async function conferenceAt(service: Service, uri: string): Promise<ConferenceView | undefined> {
  return (await conferences(service)).find((conference) => conference.uri === uri);
}

/** The newest conferences, live and ended. */
export async function conferences(service: Service): Promise<readonly ConferenceView[]> {
  return (await service.get<Page<ConferenceView>>('/conferences?limit=200')).body.data;
}

/** Waits until the conference with this URI satisfies `holds`. */
export async function whenConference(
  service: Service,
  uri: string,
  holds: (conference: ConferenceView) => boolean,
): Promise<ConferenceView> {
  let last: ConferenceView | undefined;
  try {
    return await waitFor('the conference', async () => {
      last = await conferenceAt(service, uri);
      return last && holds(last) ? last : undefined;
    });
  } catch (error) {
    throw new Error(`${String(error)}: ${JSON.stringify(last)}`);
  }
}

export async function participants(service: Service, conferenceId: string): Promise<readonly ParticipantView[]> {
  return (await service.get<Page<ParticipantView>>(`/conferences/${conferenceId}/participants`)).body.data;
}

/** Waits until the participant whose URI begins with `uri` satisfies `holds`. */
export async function whenParticipant(
  service: Service,
  who: { readonly conferenceId: string; readonly uri: string },
  holds: (participant: ParticipantView) => boolean,
): Promise<ParticipantView> {
  let last: ParticipantView | undefined;
  try {
    return await waitFor(`participant ${who.uri}`, async () => {
      last = (await participants(service, who.conferenceId)).find(({ uri }) => uri === who.uri);
      return last && holds(last) ? last : undefined;
    });
  } catch (error) {
    throw new Error(`${String(error)}: ${JSON.stringify(last)}`);
  }
}

/** The entry of the attempts log for the request with this Call-ID. */
export async function attemptOf(service: Service, callId: string): Promise<AttemptView | undefined> {
  const { body } = await service.get<Page<AttemptView>>('/attempts?limit=200');
  return body.data.find((attempt) => attempt.call_id === callId);
}
