/** What holds of everything the server sends, whatever it was sent. */
import { RemoteError } from '../../../src/wire/remote-error.ts';
import { parseStartLine, type SipScan, scanSipMessage } from '../../../src/wire/sip-message.ts';
import { firstVia, markVia, parseVia, writeVia } from '../../../src/wire/via.ts';

/** What is wrong with a message the server has sent; null: nothing. */
export function faultOfMessage(text: string): string | null {
  const scan = scanSipMessage(text);
  const fault = faultOfHead(text, scan);
  if (fault !== null || scan.problem !== null) return fault;
  const lengths = scan.headers.filter(({ key }) => key === 'content-length');
  const body = text.length - scan.bodyStart;
  if (lengths.length !== 1 || Number(lengths[0]?.value) !== body) return 'Content-Length is not that of the body';
  const needed = text.startsWith('SIP/') ? ['via'] : ['via', 'from', 'to', 'call-id', 'cseq', 'max-forwards'];
  const missing = needed.find((key) => !scan.headers.some((each) => each.key === key));
  return missing === undefined ? null : `no ${missing}`;
}

/** What is wrong with the payload of a control frame the server has sent; null: nothing. */
export function faultOfFrame(payload: string): string | null {
  const end = payload.indexOf('\r\n');
  const meta = end === -1 ? payload : payload.slice(0, end);
  // A reply repeats the id of its request, whatever the application wrote there.
  if (payload.startsWith('|response|', payload.indexOf('|'))) return null;
  if (meta.includes('\n') || meta.includes('\r')) return 'a line end in the first line';
  const tokens = meta.split('|');
  if (tokens[1] !== 'sip') return 'neither event nor reply';
  const [, , source = '', bytes = '', , , port = '', time = ''] = tokens;
  const regular = /^(network|application)$/.test(source) && /^\d+$/.test(bytes) && /^\d+$/.test(port);
  if (!regular || !/^\d\d:\d\d:\d\d\.\d{6}$/.test(time)) return 'a field is not in its place';
  if (tokens.length !== 11 && tokens.length !== 13) return `${tokens.length} fields`;
  const text = payload.slice(end + 2);
  return faultOfHead(text, scanSipMessage(text));
}

/** Vias and CSeq, by which an answer is known to belong to its request. `from` is where the request came from. */
export function identityOf(text: string, from: { readonly host: string; readonly port: number } | null): string {
  const { headers } = scanSipMessage(text);
  const vias = headers.filter(({ key }) => key === 'via').map(({ value }) => value);
  const [top = '', ...others] = vias;
  const cseq = headers.find(({ key }) => key === 'cseq')?.value ?? '';
  const all = [from === null ? top : marked(top, from), ...others].join(',').replace(/\s*,\s*/g, ',');
  return `${all} ${cseq.replace(/^0*(\d+)\s+/, '$1 ')}`;
}

function marked(value: string, from: { readonly host: string; readonly port: number }): string {
  const { first, rest } = firstVia(value);
  try {
    const via = writeVia(markVia(parseVia(first), from));
    return rest === '' ? via : `${via}, ${rest}`;
  } catch (error) {
    if (error instanceof RemoteError) return value;
    throw error;
  }
}

function faultOfHead(text: string, scan: SipScan): string | null {
  // An application may fill a message up to the bound by itself.
  if (scan.problem !== null) return scan.problem.statusHint === 513 ? null : scan.problem.message;
  if (!scan.complete) return 'no blank line';
  const head = text.slice(0, scan.bodyStart);
  if (head.replaceAll('\r\n', '').search(/[\r\n]/) !== -1) return 'a bare line end';
  try {
    parseStartLine(scan.startLine);
    return null;
  } catch (error) {
    if (error instanceof RemoteError) return error.message;
    throw error;
  }
}
