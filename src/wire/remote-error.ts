/** The peer sent what it must not. Thrown by `wire` only, caught once in each shell. */
export class RemoteError extends Error {
  /** The SIP (or MSRP) status the shell might answer with. */
  readonly statusHint: number;
  /** Where in the text, as an octet offset, when known. */
  readonly at: number | null;

  constructor(statusHint: number, message: string, at: number | null = null) {
    super(message);
    this.name = 'RemoteError';
    this.statusHint = statusHint;
    this.at = at;
  }
}
