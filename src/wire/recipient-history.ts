/** The recipient-list-history of an INVITE (RFC 5366 5, RFC 5364 7): a resource list of those who may learn of each other. */

import { writeXml, type XmlNode } from './xml.ts';

/** One who was invited; `uri` null: nobody shall learn who. */
export type HistoryEntry = { readonly uri: string | null; readonly copyControl: 'to' | 'cc' };

// RFC 5364 5; RFC 5366 6 spells it otherwise in one place, which counts for what comes in only.
const copyControlNamespace = 'urn:ietf:params:xml:ns:copycontrol';
// RFC 5364 4.
const anonymousUri = 'sip:anonymous@anonymous.invalid';
const levels = ['to', 'cc'] as const;

/**
 * The document: each URI with its level, in the order given, then those who stay unnamed, counted by level. Null when
 * there is nobody in it, for then no history is sent.
 */
export function writeRecipientHistory(entries: readonly HistoryEntry[]): string | null {
  if (entries.length === 0) return null;
  const named = entries.flatMap(({ uri, copyControl }) => (uri === null ? [] : [entryNode(uri, copyControl)]));
  // RFC 5364 4: one entry for all anonymous ones of a level, with their number.
  const unnamed = levels.flatMap((level) => {
    const count = entries.filter(({ uri, copyControl }) => uri === null && copyControl === level).length;
    return count === 0 ? [] : [entryNode(anonymousUri, level, count)];
  });
  return writeXml({
    name: 'resource-lists',
    attributes: { 'xmlns': 'urn:ietf:params:xml:ns:resource-lists', 'xmlns:cp': copyControlNamespace },
    children: [{ name: 'list', children: [...named, ...unnamed] }],
  });
}

function entryNode(uri: string, copyControl: string, count?: number): XmlNode {
  const counted = count === undefined ? {} : { 'cp:count': String(count) };
  return { name: 'entry', attributes: { uri, 'cp:copyControl': copyControl, ...counted } };
}
