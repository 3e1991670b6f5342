/** What this shell needs of a logger; pino is one. Bodies of messages are never given to it. */
export type MsrpLog = {
  readonly debug: (facts: object, phrase: string) => void;
  readonly info: (facts: object, phrase: string) => void;
  readonly warn: (facts: object, phrase: string) => void;
};
