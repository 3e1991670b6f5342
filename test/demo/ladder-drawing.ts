/** Draws a ladder for people: a lane for each party, an arrow for each message, notes under the arrows. */

export type Step =
  | { readonly kind: 'heading'; readonly text: string }
  /** `style` tells SIP from MSRP at a glance. */
  | {
      readonly kind: 'arrow';
      readonly from: string;
      readonly to: string;
      readonly label: string;
      readonly style: 'sip' | 'msrp';
    }
  /** A line that explains the arrow above, beside the lane of `at`. */
  | { readonly kind: 'note'; readonly at: string; readonly text: string };

const laneWidth = 30;

/** The whole drawing; `lanes` are the parties from left to right. */
export function drawLadder(lanes: readonly string[], steps: readonly Step[]): string {
  const names = lanes
    .map((name) => centred(name, laneWidth))
    .join('')
    .trimEnd();
  const lines = steps.map((step) => drawStep(lanes, step));
  return [names, ...lines].join('\n');
}

function drawStep(lanes: readonly string[], step: Step): string {
  if (step.kind === 'heading') return `${verticals(lanes)}\n${step.text}\n${verticals(lanes)}`;
  if (step.kind === 'note') return drawNote(lanes, step);
  const [from, to] = [column(lanes, step.from), column(lanes, step.to)];
  const [left, right] = [Math.min(from, to), Math.max(from, to)];
  const line = step.style === 'sip' ? '-' : '~';
  const room = right - left - 3;
  const label = step.label.length > room - 4 ? `${step.label.slice(0, room - 5)}…` : step.label;
  const shaft = filled(` ${label} `, room, line);
  const arrow = from < to ? `${shaft}${line}>` : `<${line}${shaft}`;
  return overwrite(verticals(lanes), left + 1, arrow);
}

function drawNote(lanes: readonly string[], { at, text }: { readonly at: string; readonly text: string }): string {
  return overwrite(verticals(lanes), column(lanes, at) + 4, ` ${text} `).trimEnd();
}

function column(lanes: readonly string[], name: string): number {
  const lane = lanes.indexOf(name);
  if (lane < 0) throw new Error(`no lane for ${name}`);
  return lane * laneWidth + laneWidth / 2;
}

function verticals(lanes: readonly string[]): string {
  return lanes
    .map(() => `${' '.repeat(laneWidth / 2)}|${' '.repeat(laneWidth / 2 - 1)}`)
    .join('')
    .trimEnd();
}

function overwrite(line: string, at: number, text: string): string {
  return (line.padEnd(at).slice(0, at) + text + line.slice(at + text.length)).trimEnd();
}

function centred(text: string, width: number): string {
  return filled(text, width, ' ');
}

function filled(text: string, width: number, fill: string): string {
  const before = Math.max(0, Math.floor((width - text.length) / 2));
  return (fill.repeat(before) + text).padEnd(width, fill);
}
