import { limits } from '../limits.ts';
import { readNickname } from '../messaging/nickname.ts';
import type { Instant, ParticipantRow } from '../rows.ts';
import type { Ledger } from './ledger.ts';
import { TurnMap, type Turns } from './turn-map.ts';

/** What a NICKNAME is answered. */
export type NicknameAnswer = { readonly status: number; readonly comment: string };

const ok: NicknameAnswer = { status: 200, comment: 'OK' };

/** Which nicknames are whose in a conference (RFC 7701 7): each is one user's, on all of its devices. */
export class Nicknames {
  readonly #ledger: Ledger;
  /** AOR of whoever goes by a name, by its key. */
  readonly #used: TurnMap<string, string>;
  /** The key of the name that a user goes by, by AOR. */
  readonly #keys: TurnMap<string, string>;
  /** Names that were given up not long ago, the first one first: nobody is taken for who bore it (ours). */
  readonly #kept: TurnMap<string, { readonly uri: string; readonly until: Instant }>;

  constructor({ ledger, turns }: { ledger: Ledger; turns: Turns }) {
    this.#ledger = ledger;
    this.#used = new TurnMap(turns);
    this.#keys = new TurnMap(turns);
    this.#kept = new TurnMap(turns);
  }

  /** RFC 7701 7.1, 7.2: a user takes a name, or another one; whatever is refused leaves the old one as it was. */
  take(participant: ParticipantRow, text: string): NicknameAnswer {
    const nickname = readNickname(text);
    if (nickname === null) return { status: 424, comment: 'Malformed nickname' };
    const { shown, key } = nickname;
    const owner = this.#ownerOf(key);
    if (owner !== undefined && owner !== participant.uri)
      return { status: 425, comment: 'Nickname reserved or already in use' };
    if (this.#keys.get(participant.uri) !== key) this.#release(participant.uri);
    this.#kept.delete(key);
    this.#used.set(key, participant.uri);
    this.#keys.set(participant.uri, key);
    if (shown !== participant.nickname) this.#ledger.putParticipant({ ...participant, nickname: shown });
    return ok;
  }

  /** RFC 7701 7.3: a user gives its name up. */
  remove(participant: ParticipantRow): NicknameAnswer {
    this.#release(participant.uri);
    if (participant.nickname !== null) this.#ledger.putParticipant({ ...participant, nickname: null });
    return ok;
  }

  /** Whoever has left in this turn, or has lost its name in it, goes by it no longer; while a device is called nobody has left. */
  settle(): void {
    for (const { uri, status, nickname } of this.#ledger.changedParticipants)
      if (status === 'disconnected' || nickname === null) this.#release(uri);
  }

  /** Who alone may take the name: who goes by it, or did a moment ago. */
  #ownerOf(key: string): string | undefined {
    const kept = this.#kept.get(key);
    return this.#used.get(key) ?? (kept !== undefined && kept.until > this.#ledger.now ? kept.uri : undefined);
  }

  /** The user goes by its name no longer, which is kept for when it wants it again. */
  #release(uri: string): void {
    const key = this.#keys.get(uri);
    if (key === undefined) return;
    this.#keys.delete(uri);
    this.#used.delete(key);
    this.#forget(uri);
    this.#kept.set(key, { uri, until: this.#ledger.now + limits.nicknameKeptMs });
  }

  /** Names are kept for so long, and of one user so many: nobody takes away all names by changing often. */
  #forget(uri: string): void {
    const { now } = this.#ledger;
    const own: string[] = [];
    for (const [key, kept] of [...this.#kept]) {
      if (kept.until <= now) this.#kept.delete(key);
      else if (kept.uri === uri) own.push(key);
    }
    for (const key of own.slice(0, Math.max(0, own.length + 1 - limits.nicknamesKeptMax))) this.#kept.delete(key);
  }
}
