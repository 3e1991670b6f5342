/** A flat resource list (RFC 4826 3.1), written. */

import { writeXml } from './xml.ts';

/** The document: an entry for each, in the order given. */
export function writeResourceList(
  entries: readonly { readonly uri: string; readonly displayName: string | null }[],
): string {
  const nodes = entries.map(({ uri, displayName }) => ({
    name: 'entry',
    attributes: { uri },
    children: displayName === null ? [] : [{ name: 'display-name', children: [displayName] }],
  }));
  return writeXml({
    name: 'resource-lists',
    attributes: { xmlns: 'urn:ietf:params:xml:ns:resource-lists' },
    children: [{ name: 'list', children: nodes }],
  });
}
