/** Whether a text is printable ASCII, as most headers are: it is what it looks like to any reader. */
export function isPlain(text: string): boolean {
  return !/[^ -~]/.test(text);
}

/** Control characters of ASCII but for the tab, which does no harm: RFC 4975 9 and RFC 3862 3.6 have none in a header. */
export function hasControls(text: string): boolean {
  return !isPlain(text) && /(?![\t\u0080-\u009f])\p{Cc}/u.test(text);
}
