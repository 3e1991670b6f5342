/**
 * The same text, to be kept: what is cut out of another, as whatever is read is cut out of a head, would hold all of that
 * in memory as long as it is kept itself.
 */
export function ownText(text: string): string {
  return Buffer.from(text).toString();
}
