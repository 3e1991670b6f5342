/** The part of a logger the store needs: facts first, then a short fixed phrase. */
export type StoreLog = {
  readonly info: (facts: object, message: string) => void;
  readonly warn: (facts: object, message: string) => void;
  readonly error: (facts: object, message: string) => void;
};
