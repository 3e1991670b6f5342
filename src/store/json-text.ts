const replacement = '\ufffd';

/**
 * `value` as JSON that Postgres takes. It keeps neither U+0000 nor half of a surrogate pair, in text or in JSON; either
 * becomes U+FFFD, lest one peer's odd display name make the whole batch fail.
 */
export function jsonText(value: unknown): string {
  const text = JSON.stringify(value);
  // JSON.stringify writes exactly these two as \u escapes; whole pairs stay as they are.
  if (!text.includes('\\u0000') && !text.includes('\\ud')) return text;
  return text.replace(/\\(u0000|ud[89a-f][\da-f]{2}|.)/g, (sequence, rest: string) =>
    rest.length > 1 ? replacement : sequence,
  );
}
