/** What an SDP line says of the file it is about (RFC 5547 6 and 9.1). */

import { RemoteError } from './remote-error.ts';

/** What is null is not said. Hashes are not kept. */
export type FileSelector = {
  /** Without path, percent-decoded. */
  readonly name: string | null;
  /** Media type with its parameters, as it came. */
  readonly type: string | null;
  /** Octets. */
  readonly size: number | null;
};

const selector =
  /(?:name:"((?:[^"%\0\r\n]|%[\da-f]{2})+)"|type:([^\s;"/]+\/(?:[^\s"]|"[^"]*")+)|size:(\d{1,15})|hash:\S+)(?: +|$)/iy;

/** Reads the value of `a=file-selector`. Throws RemoteError 400 when it is malformed. */
export function parseFileSelector(text: string): FileSelector {
  const said: { name: string | null; type: string | null; size: number | null } = {
    name: null,
    type: null,
    size: null,
  };
  selector.lastIndex = 0;
  while (selector.lastIndex < text.length) {
    const match = selector.exec(text);
    if (match === null) throw new RemoteError(400, 'The file-selector is malformed');
    const [, name, type, size] = match;
    if (name !== undefined) said.name = baseName(name);
    if (type !== undefined) said.type = type;
    if (size !== undefined) said.size = Number(size);
  }
  return said;
}

// RFC 5547 6: percent escapes are octets of UTF-8. Names with folders would lead receivers astray.
function baseName(text: string): string {
  const octets = text.replace(/%([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  const isEscaped = octets !== text;
  const name = isEscaped ? Buffer.from(octets, 'latin1').toString('utf8') : text;
  return name.replace(/^.*[\\/]/s, '').replace(/[\p{Cc}]/gu, '');
}
