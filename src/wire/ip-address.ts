/** IP address literals as octets: RFC 4291 2.2 for IPv6 text, dotted decimal for IPv4. Names are never resolved here. */

/**
 * The octets of an IP literal in network order: 4 for IPv4, 16 for IPv6 (without brackets), null when it is neither.
 * IPv4 wants four plain decimal numbers; a leading zero is refused because some systems would read it as octal.
 */
export function ipOctets(text: string): readonly number[] | null {
  return text.includes(':') ? ipv6Octets(text) : ipv4Octets(text);
}

/** Canonical text of an IP literal (RFC 5952 4), so that equal addresses are equal strings; null when it is no literal. */
export function canonicalIp(text: string): string | null {
  const octets = ipOctets(text);
  if (octets === null) return null;
  return octets.length === 4 ? octets.join('.') : ipv6Text(octets);
}

/**
 * Whether `host` (an IP literal, IPv6 with or without brackets, or a name) leads to this machine or a network that is
 * not the public one: loopback, private, shared, link-local, unspecified, multicast, reserved. Of names only `localhost`
 * and what is below it can be told; every other name is false and its addresses are judged after resolution.
 */
export function isPrivateHost(host: string): boolean {
  const bare = host
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/%.*$/, '')
    .toLowerCase();
  const octets = ipOctets(bare);
  if (octets !== null) return octets.length === 4 ? isPrivateIpv4(octets) : isPrivateIpv6(octets);
  const name = bare.replace(/\.$/, '');
  // Resolvers read 127.1, 0x7f000001 or 2130706433 as IPv4; nobody honest writes them.
  return (
    name === 'localhost' || name.endsWith('.localhost') || /^(?:0x[0-9a-f]*|\d+)(?:\.(?:0x[0-9a-f]*|\d+))*$/.test(name)
  );
}

function ipv4Octets(text: string): readonly number[] | null {
  const octets: number[] = [];
  let octet = -1;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 46 && octet >= 0) {
      octets.push(octet);
      octet = -1;
    } else if (code < 48 || code > 57 || octet === 0) return null;
    else {
      octet = octet < 0 ? code - 48 : octet * 10 + code - 48;
      if (octet > 255) return null;
    }
  }
  if (octet >= 0) octets.push(octet);
  return octet >= 0 && octets.length === 4 ? octets : null;
}

function ipv6Octets(text: string): readonly number[] | null {
  if (text.length > 45) return null;
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const head = groupOctets(halves[0] ?? '', halves.length === 1);
  const tail = halves.length === 2 ? groupOctets(halves[1] ?? '', true) : [];
  if (head === null || tail === null) return null;
  const gap = 16 - head.length - tail.length;
  // RFC 4291 2.2: "::" stands for at least one group of zeros.
  if (halves.length === 1 ? gap !== 0 : gap < 2) return null;
  return [...head, ...new Array<number>(gap).fill(0), ...tail];
}

/** Octets of colon-separated groups; only the end of an address may be written in dotted decimal. */
function groupOctets(text: string, mayEndInIpv4: boolean): readonly number[] | null {
  if (text === '') return [];
  const octets: number[] = [];
  const groups = text.split(':');
  for (const [index, group] of groups.entries()) {
    if (mayEndInIpv4 && index === groups.length - 1 && group.includes('.')) {
      const ipv4 = ipv4Octets(group);
      if (ipv4 === null) return null;
      octets.push(...ipv4);
    } else if (/^[0-9a-f]{1,4}$/i.test(group)) {
      const value = Number.parseInt(group, 16);
      octets.push(value >> 8, value & 0xff);
    } else {
      return null;
    }
  }
  return octets;
}

function ipv6Text(octets: readonly number[]): string {
  const groups = Array.from({ length: 8 }, (_, i) => ((octets[2 * i] ?? 0) << 8) | (octets[2 * i + 1] ?? 0));
  const text = groups.map((group) => group.toString(16)).join(':');
  // RFC 5952 4.2: "::" takes the longest run of zero groups, the first of equals, and never a single group.
  const runs = [...text.matchAll(/(?:^|(?<=:))0(?::0)+(?=:|$)/g)].map((match) => match[0]);
  const longest = runs.reduce((best, run) => (run.length > best.length ? run : best), '');
  if (longest === '') return text;
  const at = text.search(new RegExp(`(?:^|(?<=:))${longest}(?=:|$)`));
  return `${text.slice(0, at).replace(/:$/, '')}::${text.slice(at + longest.length).replace(/^:/, '')}`;
}

function isPrivateIpv4(octets: readonly number[]): boolean {
  const [a = 0, b = 0] = octets;
  return (
    a === 0 || // "this network", RFC 1122 3.2.1.3
    a === 10 || // RFC 1918
    a === 127 || // loopback
    a >= 224 || // multicast, reserved, broadcast
    (a === 100 && b >= 64 && b < 128) || // shared address space, RFC 6598
    (a === 169 && b === 254) || // link-local, RFC 3927
    (a === 172 && b >= 16 && b < 32) || // RFC 1918
    (a === 192 && b === 168) || // RFC 1918
    (a === 198 && (b & 0xfe) === 18) // benchmarks within a network, RFC 2544
  );
}

function isPrivateIpv6(octets: readonly number[]): boolean {
  const [a = 0, b = 0] = octets;
  const embedded = embeddedIpv4(octets);
  if (embedded !== null) return isPrivateIpv4(embedded);
  return (
    [0, 0x64, 0xff, 0x9b, 0, 1].every((octet, i) => octets[i] === octet) || // translation within a network, RFC 8215
    a === 0xff || // multicast, RFC 4291 2.7
    (a & 0xfe) === 0xfc || // unique local, RFC 4193
    (a === 0xfe && b >= 0x80) // link-local and the old site-local, RFC 4291 2.4, 2.5.7
  );
}

/** The IPv4 address an IPv6 address stands for: mapped, compatible (with it :: and ::1), translated, NAT64 and 6to4; else null. */
function embeddedIpv4(octets: readonly number[]): readonly number[] | null {
  const starts = (...prefix: readonly number[]): boolean => prefix.every((octet, i) => octets[i] === octet);
  const zeros = (from: number, to: number): boolean => octets.slice(from, to).every((octet) => octet === 0);
  if (zeros(0, 12)) return octets.slice(12); // RFC 4291 2.5.5.1; ::1 comes out as 0.0.0.1, which is private too
  if (zeros(0, 10) && octets[10] === 0xff && octets[11] === 0xff) return octets.slice(12); // RFC 4291 2.5.5.2
  if (zeros(0, 8) && octets[8] === 0xff && octets[9] === 0xff && zeros(10, 12)) return octets.slice(12); // RFC 2765 2.1
  if (starts(0, 0x64, 0xff, 0x9b) && zeros(4, 12)) return octets.slice(12); // RFC 6052 2.1
  if (starts(0x20, 0x02)) return octets.slice(2, 6); // RFC 3056 2
  return null;
}
