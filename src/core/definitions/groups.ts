import { parseSipUri, unescapeUser } from '../../wire/sip-uri.ts';
import type { GroupRow } from '../rows.ts';

/** The pre-arranged groups, by id and by the user part of their URIs; as the store has them. */
export class Groups {
  readonly #byId = new Map<string, GroupRow>();
  readonly #byUser = new Map<string, GroupRow>();

  /** Takes in what the store says now; what is older than what is known changes nothing. */
  define(group: GroupRow): void {
    const known = this.#byId.get(group.id);
    if (known !== undefined && known.revision >= group.revision) return;
    this.remove(group.id);
    this.#byId.set(group.id, group);
    this.#byUser.set(userOf(group), group);
  }

  remove(groupId: string): void {
    const known = this.#byId.get(groupId);
    if (known === undefined) return;
    this.#byId.delete(groupId);
    if (this.#byUser.get(userOf(known)) === known) this.#byUser.delete(userOf(known));
  }

  byId(groupId: string): GroupRow | undefined {
    return this.#byId.get(groupId);
  }

  /** `user`: unescaped user part of a URI. */
  byUser(user: string): GroupRow | undefined {
    return this.#byUser.get(user);
  }
}

function userOf(group: GroupRow): string {
  return unescapeUser(parseSipUri(group.uri).user ?? '');
}
