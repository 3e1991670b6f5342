import { type ConferenceInfoDocument, type ConferenceInfoUser, writeConferenceInfo } from '../../wire/conference-info.ts';
import { limits } from '../limits.ts';
import type { ConferenceRecord, EndpointRow, ParticipantRow } from '../rows.ts';
