/** Whom an address belongs to, as far as limits are concerned. */

/**
 * What limits per source count by: an IPv4 address as it stands, and the first 64 bits of an IPv6 address, since whoever
 * has one of these has all that begin so (RFC 4291 2.5.1, RFC 6177).
 */
export function sourceOf(address: string): string {
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.split('%', 1)[0]?.split('::') ?? [];
  const groups = groupsOf(head);
  if (tail !== undefined && groups.length < 4) {
    const rest = groupsOf(tail);
    // An IPv4 address at the end stands for two groups.
    const zeros = 8 - groups.length - rest.length - (tail.includes('.') ? 1 : 0);
    groups.push(...new Array<string>(Math.max(0, zeros)).fill('0'), ...rest);
  }
  return `${groups.slice(0, 4).join(':')}::/64`;
}

function groupsOf(text: string): string[] {
  return text === '' ? [] : text.split(':');
}
