/** As much of a NOTIFY as a watcher reads who must not cost more than the server it watches. */

/** The start line and headers of a datagram. */
export function headOf(datagram: Buffer): string {
  const end = datagram.indexOf('\r\n\r\n');
  return datagram.toString('latin1', 0, end < 0 ? datagram.length : end);
}

const copied = /^(?:via|from|to|call-id|cseq):/i;

/** The 200 to a request with this head (RFC 3261 8.2.6.2). */
export function acceptanceOf(head: string): string {
  const lines = head.split('\r\n').filter((line) => copied.test(line));
  return `SIP/2.0 200 OK\r\n${lines.join('\r\n')}\r\nContent-Length: 0\r\n\r\n`;
}

/** The number in CSeq: one that is no higher than the last belongs to a NOTIFY sent again. */
export function sequenceOf(head: string): number {
  return Number(/\r\ncseq:\s*(\d+)/i.exec(head)?.[1]);
}

/** The document of a NOTIFY but for its version, which counts within each subscription (RFC 4575 5.2). */
export function renderingOf(datagram: Buffer): string {
  const body = datagram.toString('utf8', datagram.indexOf('\r\n\r\n') + 4);
  return body.replace(/(<[^>]*conference-info\b[^>]*) version="\d+"/, '$1');
}
