/** Payloads of control frames from server to application, byte by byte as the daemon's. */

export type EventFields = {
  readonly id: string;
  readonly source: 'network' | 'application';
  readonly bytes: number;
  /** The daemon leaves the protocol of an ACK empty. */
  readonly protocol: string;
  readonly host: string;
  readonly port: number;
  readonly now: number;
  readonly transactionId: string;
  readonly dialogId: string;
  /** Only new requests outside dialogs tell where they were received. */
  readonly receivedOn: { readonly host: string; readonly port: number } | null;
  readonly text: string;
};

/** `id|sip|source|bytes|proto|addr|port|time|transactionId|dialogId|[ip|port|]` and the message. */
export function eventPayload(fields: EventFields): string {
  const received = fields.receivedOn === null ? '' : `${fields.receivedOn.host}|${fields.receivedOn.port}|`;
  return (
    `${fields.id}|sip|${fields.source}|${fields.bytes}|${fields.protocol}|${fields.host}|${fields.port}` +
    `|${timeOfDay(fields.now)}|${fields.transactionId}|${fields.dialogId}|${received}\r\n${fields.text}`
  );
}

export type SentFields = {
  readonly protocol: string;
  readonly host: string;
  readonly port: number;
  readonly now: number;
  readonly transactionId: string;
  readonly text: string;
  /** Octets that went out; 0 when the message is still held back. */
  readonly bytes: number;
};

/** Tokens after the message id of `OK` for a request the application sent, with the request as sent. */
export function requestSent(fields: SentFields): string {
  return `OK|${sentTokens(fields)}|Msg sent:|\r\n${fields.text}`;
}

/** The same for a response: the dialog id follows (empty outside dialogs). */
export function responseSent(fields: SentFields & { readonly dialogId: string }): string {
  return `OK|${sentTokens(fields)}|${fields.dialogId}||Msg sent:|\r\n${fields.text}`;
}

/** UTC `HH:MM:SS.uuuuuu` of milliseconds since 1970. */
export function timeOfDay(now: number): string {
  const micros = Math.floor((now % 86_400_000) * 1000);
  const seconds = Math.floor(micros / 1_000_000);
  if (seconds !== clock.seconds) {
    clock.seconds = seconds;
    clock.text = `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}.`;
  }
  return clock.text + String(1_000_000 + (micros % 1_000_000)).slice(1);
}

/** The second that was written last: thousands of frames have the same. */
const clock = { seconds: -1, text: '' };

function two(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}

function sentTokens({ bytes, protocol, host, port, now, transactionId }: SentFields): string {
  return `application|${bytes}|${protocol}|${host}|${port}|${timeOfDay(now)}|${transactionId}`;
}
