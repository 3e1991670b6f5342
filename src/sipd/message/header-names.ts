/** How headers are spelt on the wire. drachtio-srf lower-cases what applications set. */

const spelt: ReadonlyMap<string, string> = new Map([
  ['call-id', 'Call-ID'],
  ['cseq', 'CSeq'],
  ['mime-version', 'MIME-Version'],
  ['min-se', 'Min-SE'],
  ['p-charging-function-addresses', 'P-Charging-Function-Addresses'],
  ['rack', 'RAck'],
  ['rseq', 'RSeq'],
  ['sip-etag', 'SIP-ETag'],
  ['sip-if-match', 'SIP-If-Match'],
  ['www-authenticate', 'WWW-Authenticate'],
]);

const cache = new Map<string, string>();
const cacheMax = 500;

/** The name in its usual spelling: known ones their own, others with capitals; names beginning x- stay as written. */
export function spellHeader(name: string): string {
  const known = cache.get(name);
  if (known !== undefined) return known;
  const lower = name.toLowerCase();
  const spelling = spelt.get(lower) ?? (lower.startsWith('x-') ? name : capitalise(name));
  if (cache.size < cacheMax) cache.set(name, spelling);
  return spelling;
}

function capitalise(name: string): string {
  return name
    .split('-')
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join('-');
}
