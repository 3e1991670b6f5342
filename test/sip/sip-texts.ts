/** Requests as they are on the wire, after the flows of Appendix M. */
import { boundary, crlf, listPart, msrpSdp, multipart } from '../support/bodies.ts';

export type Headers = Readonly<Record<string, string | readonly string[] | null>>;

export const offer = msrpSdp({
  user: 'alice',
  path: 'msrp://pc33.atlanta.example.com:7656/kdU3sPq81mZ;tcp',
  port: 7656,
  setup: 'actpass',
});

export const list = crlf(
  '<?xml version="1.0" encoding="UTF-8"?>',
  '<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"',
  '    xmlns:cp="urn:ietf:params:xml:ns:copycontrol">',
  '  <list>',
  '    <entry uri="sip:bob@biloxi.example.com;method=INVITE?Replaces=a84b4c76e66710%3Bto-tag%3Da6c85cf%3Bfrom-tag%3D1928301774" cp:copyControl="to"/>',
  '    <entry uri="sip:ted@example.net" cp:copyControl="to"/>',
  '  </list>',
  '</resource-lists>',
);

const basics = {
  'Via': 'SIP/2.0/TCP pc33.atlanta.example.com;branch=z9hG4bKfact0001',
  'Max-Forwards': '70',
  'To': 'Conf Factory <sip:conf-fact@conf.example.com>',
  'From': 'Alice <sip:alice@atlanta.example.com>;tag=2837302775',
  'Call-ID': '563b4c76e66712',
} as const;

/** A request with the headers of M-03 that `changes` does not replace, add to, or (null) take away. */
export function requestText(start: string, changes: Headers = {}, body = ''): string {
  const method = start.split(' ')[0] ?? '';
  const headers: Headers = { ...basics, 'CSeq': `203048 ${method}`, ...changes };
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    value === null ? [] : [value].flat().map((each) => `${name}: ${each}`),
  );
  return `${crlf(start, ...lines, `Content-Length: ${Buffer.byteLength(body)}`)}\r\n${body}`;
}

const contact = '<sip:alice@pc33.atlanta.example.com;transport=tcp>;+g.oma.sip-im';

/** M-03: INVITE to the factory with a description and a list. */
export function factoryInvite(
  changes: Headers = {},
  body = multipart([{ type: 'application/sdp', text: offer }, listPart(list)]),
): string {
  return requestText(
    'INVITE sip:conf-fact@conf.example.com SIP/2.0',
    {
      'Contact': contact,
      'P-Asserted-Identity': '"Alice" <sip:alice@atlanta.example.com>',
      'Accept': 'application/sdp, message/sipfrag',
      'Require': 'recipient-list-invite',
      'Supported': 'replaces, timer',
      'Subject': 'Project chat',
      'Content-Type': `multipart/mixed;boundary="${boundary}"`,
      ...changes,
    },
    body,
  );
}

/** M-03L: the source document's own form of M-03, malformed on purpose. */
export const factoryInviteOfTheDocument = requestText(
  'INVITE conf-fact@conf.example.com SIP/2.0',
  {
    'From': 'Alice < sip:alice@atlanta.example.com>;tag=2837302776',
    'Call-ID': '563b4c76e66799',
    'Contact': '<sip:alice@pc33.atlanta.example.com;transport=tcp>',
    'P-Asserted-Identity': '<sip:alice@atlanta.example.com>',
    'Content-Type': ['application/sdp', 'application/resource-lists+xml'],
    'Require': 'recipient-list-subscribe',
    'Supported': 'eventlist',
    'Content-Disposition': 'recipient-list',
  },
  `${offer}\r\n${crlf(
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"',
    '    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">',
    '  <list>',
    '    <entry uri="bob@biloxi.example.com;method=INVITE?Replaces: a84b4c76e66710;to-tag=1928301774;from-tag= a6c85cf" />',
    '    <entry uri="sip:ted@example.net" />',
    '  </list>',
    '</resource-lists>',
  )}`,
);

/** M-10: SUBSCRIBE to the conference package. */
export function subscribe(changes: Headers = {}, body = ''): string {
  return requestText(
    'SUBSCRIBE sip:conf-7f3a9c51@conf.example.com SIP/2.0',
    {
      'To': '<sip:conf-7f3a9c51@conf.example.com>',
      'From': 'Alice <sip:alice@atlanta.example.com>;tag=a11ce5ub',
      'Call-ID': 'sub-a11ce-01',
      'CSeq': '1 SUBSCRIBE',
      'Contact': contact,
      'Event': 'conference',
      'Accept': 'application/conference-info+xml',
      'Expires': '3600',
      ...changes,
    },
    body,
  );
}
