import { invalid } from './errors.ts';
import type { CommandUri, HttpOptions } from './http-options.ts';
import type { Fault } from './problem.ts';
import { Refused } from './problem.ts';

/** Where in a request a URI stands. */
export type UriPlace = Pick<Fault, 'in' | 'pointer'>;

/** The URI of somebody to be called, or a refusal that points at it and names the SIP status it would have met. */
export function readableUri(text: string, place: UriPlace, { parseUri }: Pick<HttpOptions, 'parseUri'>): CommandUri {
  const uri = parsed(text, place, parseUri);
  // RFC 3261 19.1.1: headers of a URI ask for a request of their form. Here the body has words for what may be asked.
  if (uri.headers.length > 0)
    throw badUri(place, 'bears headers; where a dialog can be taken over, it goes into `replaces`');
  return uri;
}

function parsed(text: string, place: UriPlace, parseUri: HttpOptions['parseUri']): CommandUri {
  try {
    return parseUri(text);
  } catch (error) {
    if (!(error instanceof Error && 'statusHint' in error)) throw error;
    const refused = badUri(place, error.message);
    if (error.statusHint !== 416) throw refused;
    const sip = { status: 416, reason: 'Unsupported URI Scheme' };
    throw new Refused({ code: 'unsupported-scheme', detail: error.message, faults: refused.faults, sip });
  }
}

function badUri(place: UriPlace, detail: string): Refused {
  return invalid([{ ...place, detail }]);
}
