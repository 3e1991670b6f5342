/** A token of TypeScript source. Comments and white space are dropped; a template is one string token per text piece. */
export type Token = {
  readonly kind: 'word' | 'string' | 'number' | 'regex' | 'punctuation';
  /** For strings the text between the quotes, as written. */
  readonly text: string;
  /** From 1. */
  readonly line: number;
};

const punctuations = ['=>', '...', '?.', '??', '&&', '||', '==', '!=', '<=', '>='];
const wordStart = /[\p{L}_$#]/u;
const wordPart = /[\p{L}\p{N}_$]/u;
/** After these words a slash begins a regular expression, not a division. */
const expressionFollows = new Set([
  'return',
  'typeof',
  'case',
  'in',
  'of',
  'delete',
  'void',
  'throw',
  'new',
  'else',
  'await',
]);

/**
 * The tokens of `source`. Enough of the language for the house rules, no more: it knows comments, strings,
 * nested templates and regular expressions, so that a word inside one of them is not taken for code.
 */
export function tokensOf(source: string): Token[] {
  return new Scanner(source).scan();
}

class Scanner {
  readonly #source: string;
  readonly #tokens: Token[] = [];
  #at = 0;
  #line = 1;
  /** Brace depth at which each open `${` of a template closes again. */
  readonly #templates: number[] = [];
  #depth = 0;

  constructor(source: string) {
    this.#source = source;
  }

  scan(): Token[] {
    while (this.#at < this.#source.length) this.#step();
    return this.#tokens;
  }

  #step(): void {
    const char = this.#source.charAt(this.#at);
    const next = this.#source.charAt(this.#at + 1);
    if (/\s/.test(char)) this.#advance(1);
    else if (char === '/' && next === '/') this.#advance(this.#lengthUntil('\n'));
    else if (char === '/' && next === '*') this.#advance(this.#lengthUntil('*/') + 2);
    else if (char === "'" || char === '"') this.#string(char);
    else if (char === '`') this.#template(1);
    else if (char === '}' && this.#templates.at(-1) === this.#depth) this.#resumeTemplate();
    else if (char === '/' && this.#regexAllowed()) this.#regex();
    else if (wordStart.test(char)) this.#push('word', this.#run(wordPart));
    else if (/\d/.test(char)) this.#push('number', this.#run(/[\w.]/));
    else this.#punctuation(char);
  }

  #punctuation(char: string): void {
    if (char === '{') this.#depth += 1;
    if (char === '}') this.#depth -= 1;
    const long = punctuations.find((text) => this.#source.startsWith(text, this.#at));
    this.#push('punctuation', long ?? char);
  }

  #push(kind: Token['kind'], text: string): void {
    this.#tokens.push({ kind, text, line: this.#line });
    this.#advance(text.length);
  }

  /** Moves on by `length` characters and counts the lines passed. */
  #advance(length: number): void {
    const passed = this.#source.slice(this.#at, this.#at + length);
    this.#line += passed.split('\n').length - 1;
    this.#at += length;
  }

  #lengthUntil(end: string): number {
    const found = this.#source.indexOf(end, this.#at);
    return (found < 0 ? this.#source.length : found) - this.#at;
  }

  #run(part: RegExp): string {
    let end = this.#at + 1;
    while (end < this.#source.length && part.test(this.#source.charAt(end))) end += 1;
    return this.#source.slice(this.#at, end);
  }

  #string(quote: string): void {
    let end = this.#at + 1;
    while (end < this.#source.length && this.#source.charAt(end) !== quote) {
      end += this.#source.charAt(end) === '\\' ? 2 : 1;
    }
    this.#tokens.push({ kind: 'string', text: this.#source.slice(this.#at + 1, end), line: this.#line });
    this.#advance(end + 1 - this.#at);
  }

  /** One text piece of a template, up to its end or to the next `${`. `skip` is the length of what opens it. */
  #template(skip: number): void {
    const start = this.#at + skip;
    let end = start;
    while (end < this.#source.length && this.#source.charAt(end) !== '`' && !this.#source.startsWith('${', end)) {
      end += this.#source.charAt(end) === '\\' ? 2 : 1;
    }
    this.#tokens.push({ kind: 'string', text: this.#source.slice(start, end), line: this.#line });
    const opens = this.#source.startsWith('${', end);
    this.#advance(end - this.#at);
    if (opens) {
      this.#templates.push(this.#depth);
      this.#push('punctuation', '${');
    } else {
      this.#advance(1);
    }
  }

  #resumeTemplate(): void {
    this.#templates.pop();
    this.#template(1);
  }

  #regexAllowed(): boolean {
    const before = this.#tokens.at(-1);
    if (before === undefined) return true;
    if (before.kind === 'word') return expressionFollows.has(before.text);
    return before.kind === 'punctuation' && before.text !== ')' && before.text !== ']' && before.text !== '}';
  }

  #regex(): void {
    let end = this.#at + 1;
    let inClass = false;
    while (end < this.#source.length && (inClass || this.#source.charAt(end) !== '/')) {
      const char = this.#source.charAt(end);
      if (char === '[') inClass = true;
      if (char === ']') inClass = false;
      end += char === '\\' ? 2 : 1;
    }
    end += 1;
    while (/[a-z]/.test(this.#source.charAt(end))) end += 1;
    this.#push('regex', this.#source.slice(this.#at, end));
  }
}
