/** The one element of `list`; throws when there are none or several. */
export function only<T>(list: readonly T[]): T {
  const [element] = list;
  if (element === undefined || list.length !== 1) throw new Error(`expected one element, there are ${list.length}`);
  return element;
}
