/** What the watchers are asked by the benchmark, and what they say. */

/** To watch: a subscription for each of `subscribers`, who are AORs; answered with `true` once each has had a NOTIFY. */
export type Watch = {
  readonly ask: 'watch';
  readonly port: number;
  readonly target: string;
  readonly subscribers: readonly string[];
};

/** To wait for a NOTIFY with `text` at each of them; answered with `true` at once, and with `Sight` in the end. */
export type Await = { readonly ask: 'await'; readonly text: string };

export type Seen = {
  /** When the last of them saw it, in milliseconds of the machine's own clock. */
  readonly at: number;
  /** NOTIFYs that one of them had since it was asked to wait, at most. */
  readonly most: number;
  /** Of these, those that tell how many are in: a document of several pages does so once. */
  readonly mostTold: number;
  /** NOTIFYs of all together, and those that came again. */
  readonly notifies: number;
  readonly repeated: number;
  /** Different documents with the text, but for the version of their root. */
  readonly renderings: number;
};

/** Time that all processes of this machine share, in milliseconds. */
export function sharedNow(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
