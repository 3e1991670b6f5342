import type { UserRow } from '../rows.ts';

/** What the operator says of users, by id and by AOR; as the store has it. */
export class Users {
  readonly #byId = new Map<string, UserRow>();
  readonly #byUri = new Map<string, UserRow>();

  /** Takes in what the store says now; what is older than what is known changes nothing. */
  define(user: UserRow): void {
    const known = this.#byId.get(user.id);
    if (known !== undefined && known.revision >= user.revision) return;
    this.remove(user.id);
    this.#byId.set(user.id, user);
    this.#byUri.set(user.uri, user);
  }

  remove(userId: string): void {
    const known = this.#byId.get(userId);
    if (known === undefined) return;
    this.#byId.delete(userId);
    if (this.#byUri.get(known.uri) === known) this.#byUri.delete(known.uri);
  }

  /** `uri`: canonical AOR. */
  byUri(uri: string): UserRow | undefined {
    return this.#byUri.get(uri);
  }

  /** Whether the operator has barred whom `uri`, a canonical AOR, names. Of whom nothing is said, everything is fine. */
  isBarred(uri: string): boolean {
    return this.#saidOf(uri).some(({ barred }) => barred);
  }

  /** Whether whom `uri` names may make conferences. */
  mayCreate(uri: string): boolean {
    return this.#saidOf(uri).every(({ mayCreate }) => mayCreate);
  }

  /** RFC 3261 19.1: a SIP URI may be upgraded to SIPS by its scheme alone. Our rule: what is forbidden one is forbidden both. */
  #saidOf(uri: string): readonly UserRow[] {
    const twin = uri.startsWith('sips:') ? `sip:${uri.slice('sips:'.length)}` : uri.replace(/^sip:/, 'sips:');
    return [uri, twin].flatMap((each) => this.#byUri.get(each) ?? []);
  }
}
