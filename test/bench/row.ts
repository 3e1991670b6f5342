/** A row of the benchmark: our figure beside its anchor's, measured in one run, so that their ratio holds elsewhere. */

export type Row = {
  readonly name: string;
  /** What is measured, in one line. */
  readonly about: string;
  readonly run: (report: Report) => Promise<Result>;
};

export type Result = {
  readonly ours: number;
  readonly anchor: number;
  readonly unit: string;
  /** Worked out from pairs of measurements, hence not exactly `ours / anchor`. */
  readonly ratio: number;
  /** Further things seen, for people. */
  readonly notes?: readonly string[];
};

/** What is demanded of the ratio; neither when it is only reported. */
export type Bound = { readonly min: number } | { readonly max: number } | Readonly<Record<string, never>>;

export type BoundRow = Row & { readonly bound: Bound };

/** Says how it goes, for a person who waits. */
export type Report = (line: string) => void;

/** The middle of the values; of two the lower. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted[Math.floor((sorted.length - 1) / 2)];
  if (middle === undefined) throw new Error('no values');
  return middle;
}

/** Whether the ratio is what it must be. */
export function isMet(bound: Bound, ratio: number): boolean {
  if ('min' in bound) return ratio >= bound.min;
  if ('max' in bound) return ratio <= bound.max;
  return true;
}

/** A pair of figures, ours and the anchor's, several times; the median of their ratios stands. */
export function compared(
  ours: readonly number[],
  anchor: readonly number[],
): { ours: number; anchor: number; ratio: number } {
  const ratios = ours.map((value, at) => value / (anchor[at] ?? Number.NaN));
  return { ours: median(ours), anchor: median(anchor), ratio: median(ratios) };
}

/** One line of JSON: the outside form of a row. */
export function jsonLine(row: BoundRow, { ours, anchor, ratio, unit }: Result): string {
  return JSON.stringify({
    row: row.name,
    ours: round(ours),
    anchor: round(anchor),
    ratio: round(ratio),
    unit,
    ...row.bound,
  });
}

/** The same for a person. */
export function tableLine(row: BoundRow, { ours, anchor, ratio, unit }: Result): string {
  const wanted = wish(row.bound);
  const verdict = wanted === null ? 'reported only' : `${wanted}: ${isMet(row.bound, ratio) ? 'met' : 'MISSED'}`;
  const figures = `${row.name.padEnd(18)} ${shown(ours)} ${shown(anchor)} ${ratio.toFixed(2).padStart(7)}`;
  return `${figures}  ${unit.padEnd(14)} ${verdict}`;
}

function wish(bound: Bound): string | null {
  if ('min' in bound) return `at least ${bound.min}`;
  return 'max' in bound ? `at most ${bound.max}` : null;
}

function shown(value: number): string {
  return (value >= 100 ? value.toFixed(0) : value.toPrecision(3)).padStart(9);
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}
