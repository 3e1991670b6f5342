/** Reason phrases of the answers the stack gives by itself (RFC 3261 21; 430: RFC 5626 11.5; 440: RFC 5393 5.3.2; 489: RFC 6665 8.3.2). */

const phrases: Readonly<Record<number, string>> = {
  100: 'Trying',
  200: 'OK',
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  410: 'Gone',
  416: 'Unsupported URI Scheme',
  420: 'Bad Extension',
  430: 'Flow Failed',
  440: 'Max-Breadth Exceeded',
  480: 'Temporarily Unavailable',
  481: 'Call/Transaction Does Not Exist',
  482: 'Loop Detected',
  483: 'Too Many Hops',
  487: 'Request Terminated',
  500: 'Server Internal Error',
  501: 'Not Implemented',
  503: 'Service Unavailable',
  505: 'Version Not Supported',
  513: 'Message Too Large',
};

/** The usual phrase of a status, or `Unknown`. */
export function reasonPhrase(status: number): string {
  return phrases[status] ?? 'Unknown';
}
