/** Control characters of ASCII but for the tab, which does no harm: RFC 4975 9 and RFC 3862 3.6 have none in a header. */
export function hasControls(text: string): boolean {
  // Most headers are printable ASCII, which is quickly seen.
  return /[^ -~]/.test(text) && /(?![\t\u0080-\u009f])\p{Cc}/u.test(text);
}
