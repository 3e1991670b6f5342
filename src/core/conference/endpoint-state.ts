import type { EndpointStatus } from '../rows.ts';
import type { Transitions } from '../transition.ts';

/**
 * Theory of operation. The states are RFC 4575's own words. An invitee waits as `pending` until the limits on parallel
 * INVITEs let it be dialled; a refusal may lead to another INVITE (`redial`: without Replaces, or with its tags
 * exchanged). A connected endpoint is gone as soon as a BYE is sent or received: RFC 3261 15.1.1 ends the session when
 * the BYE is handed to its transaction. Only a cancelled INVITE lingers as `disconnecting`, because its 200 may cross
 * the CANCEL on the wire and must then be answered by ACK and BYE. Whoever says in a new offer that it takes no messages
 * just now is `on-hold`, until another offer takes them up again.
 */
export type EndpointEvent = 'dial' | 'ring' | 'answer' | 'redial' | 'fail' | 'cancel' | 'hold' | 'resume' | 'leave';

export const endpointTransitions: Transitions<EndpointStatus, EndpointEvent> = {
  pending: { dial: 'dialing-out', fail: 'disconnected' },
  'dialing-out': {
    ring: 'alerting',
    answer: 'connected',
    redial: 'dialing-out',
    fail: 'disconnected',
    cancel: 'disconnecting',
  },
  alerting: {
    ring: 'alerting',
    answer: 'connected',
    redial: 'dialing-out',
    fail: 'disconnected',
    cancel: 'disconnecting',
  },
  'dialing-in': { answer: 'connected', fail: 'disconnected' },
  connected: { hold: 'on-hold', leave: 'disconnected' },
  disconnecting: { ring: 'disconnecting', answer: 'disconnected', fail: 'disconnected' },
  disconnected: {},
  'on-hold': { resume: 'connected', leave: 'disconnected' },
  // Reached once mute is built; until then no event leads here.
  'muted-via-focus': { leave: 'disconnected' },
};
