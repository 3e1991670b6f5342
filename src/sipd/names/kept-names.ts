/** Answers questions about names: from what is kept, or by asking once for all who want to know. */

import { limits } from '../limits.ts';
import type { Answer, Question } from '../target/questions.ts';
import type { Names } from './names.ts';

export type KeptNamesOptions = {
  readonly names: Names;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  /** How long one question may take; `limits.nameQuestionMs` when not given. */
  readonly questionMs?: number | undefined;
};

type Kept = { readonly answer: Answer; readonly until: number };

/** At most `limits.namesKeptMax` answers; whoever asks beyond that drives out the oldest. */
export class KeptNames {
  readonly #options: KeptNamesOptions;
  readonly #kept = new Map<string, Kept>();
  readonly #asked = new Map<string, Promise<Answer>>();

  constructor(options: KeptNamesOptions) {
    this.#options = options;
  }

  /** An answer to each question, empty where nothing was found in time. Never rejects. */
  answers(questions: readonly Question[]): Promise<readonly Answer[]> {
    return Promise.all(questions.map((question) => this.#answer(question)));
  }

  #answer(question: Question): Promise<Answer> {
    const key = `${question.kind} ${question.name}`;
    const kept = this.#kept.get(key);
    if (kept !== undefined && kept.until > this.#options.now()) return Promise.resolve(kept.answer);
    const asked = this.#asked.get(key) ?? this.#ask(question, key);
    this.#asked.set(key, asked);
    return asked;
  }

  async #ask(question: Question, key: string): Promise<Answer> {
    const { names, questionMs = limits.nameQuestionMs } = this.#options;
    const found = await inTime(questionMs, find(names, question)).catch(() => null);
    this.#asked.delete(key);
    const { answer, ttlMs } = found ?? nothing(question);
    this.#keep(key, answer, keptMs(answer, ttlMs));
    return answer;
  }

  #keep(key: string, answer: Answer, ms: number): void {
    this.#kept.delete(key);
    if (ms <= 0) return;
    const [oldest] = this.#kept.keys();
    if (this.#kept.size >= limits.namesKeptMax && oldest !== undefined) this.#kept.delete(oldest);
    this.#kept.set(key, { answer, until: this.#options.now() + ms });
  }
}

type Timed = { readonly answer: Answer; readonly ttlMs: number | null };

async function find(names: Names, { kind, name }: Question): Promise<Timed> {
  if (kind === 'a' || kind === 'aaaa') {
    const { records, ttlMs } = await names[kind](name);
    return { answer: { kind, addresses: records.slice(0, limits.targetsMax) }, ttlMs };
  }
  if (kind === 'srv') {
    const { records, ttlMs } = await names.srv(name);
    return { answer: { kind, records: records.slice(0, limits.targetsMax) }, ttlMs };
  }
  const { records, ttlMs } = await names.naptr(name);
  return { answer: { kind, records: records.slice(0, limits.targetsMax) }, ttlMs };
}

function nothing({ kind }: Question): Timed {
  const answer: Answer = kind === 'a' || kind === 'aaaa' ? { kind, addresses: [] } : { kind, records: [] };
  return { answer, ttlMs: null };
}

function keptMs(answer: Answer, ttlMs: number | null): number {
  const isAddress = 'addresses' in answer;
  if ((isAddress ? answer.addresses : answer.records).length === 0) return limits.nothingFoundMs;
  // Node tells the TTL of addresses only; and what comes from the hosts file has none.
  const longest = isAddress && ttlMs !== null ? limits.addressTtlMaxMs : limits.recordTtlMaxMs;
  return Math.min(ttlMs ?? longest, longest);
}

/** Rejects when it takes longer. */
async function inTime<Value>(ms: number, work: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer in time')), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
