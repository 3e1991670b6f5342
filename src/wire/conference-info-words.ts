/** The closed lists of words of RFC 4575's schema, and the namespaces of what is written by it. */

export const conferenceInfoNamespace = 'urn:ietf:params:xml:ns:conference-info';
/** RFC 6501 4: of what this model takes from the data model of centralized conferencing. */
export const xconNamespace = 'urn:ietf:params:xml:ns:xcon-conference-info';

export const elementStates = ['full', 'partial', 'deleted'] as const;
export const mediaStatuses = ['sendrecv', 'sendonly', 'recvonly', 'inactive'] as const;
export const endpointStatuses = [
  'pending',
  'dialing-out',
  'dialing-in',
  'alerting',
  'on-hold',
  'connected',
  'muted-via-focus',
  'disconnecting',
  'disconnected',
] as const;
export const joiningMethods = ['dialed-in', 'dialed-out', 'focus-owner'] as const;
export const disconnectionMethods = ['departed', 'booted', 'failed', 'busy'] as const;

/** Whether the number fits the schema's unsignedInt. */
export function isUnsignedInt(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < 2 ** 32;
}
