/** Fuzzes sipd by seed. `npm run fuzz -- --seed 1 --messages 1000000`; a seed that fails is printed and made small. */
import { readdirSync, readFileSync } from 'node:fs';
import { Chance } from './chance.ts';
import { Broken, type Played, play } from './play.ts';
import { type Episode, type Step, writeEpisode } from './script.ts';

/** What a message may take at most: it is 64 kB, and its work grows with its length only. */
const tooSlowMs = 100;
const slowMs = 10;

export type FuzzReport = {
  readonly messages: number;
  readonly episodes: number;
  readonly worstMs: number;
  readonly worst: string;
};

/** Plays episodes until so many messages have passed. Throws an error that holds a short episode which fails. */
export function fuzz(seed: number, messages: number, tell: (report: FuzzReport) => void = () => undefined): FuzzReport {
  const known = knownMessages();
  let report: FuzzReport = { messages: 0, episodes: 0, worstMs: 0, worst: '' };
  while (report.messages < messages) {
    // Each episode has a seed of its own, so that it can be played without those before it.
    const own = (seed + report.episodes * 7_919) >>> 0;
    const episode = writeEpisode(new Chance(own), known);
    try {
      const { messages: count, worstMs, worst } = playQuietly(episode);
      const slower = worstMs > report.worstMs ? { worstMs, worst } : {};
      report = { ...report, ...slower, messages: report.messages + count, episodes: report.episodes + 1 };
    } catch (error) {
      if (error instanceof Broken) throw new Error(describeFailure(own, episode, error));
      throw error;
    }
    if (report.episodes % 1_000 === 0) tell(report);
  }
  return report;
}

/** The quickest of three when one takes long: memory must be tidied up now and then, whoever made the mess. */
function playQuietly(episode: Episode): Played {
  const first = play(episode);
  if (first.worstMs < slowMs) return first;
  const all = [first, play(episode), play(episode)];
  const quickest = all.reduce((best, each) => (each.worstMs < best.worstMs ? each : best));
  if (quickest.worstMs > tooSlowMs)
    throw new Broken('a message takes too long', `${quickest.worstMs} ms: ${quickest.worst}`);
  return quickest;
}

/** The same failure with as few steps as can be found by leaving some out. */
export function shrink(episode: Episode, breaks: (episode: Episode) => boolean): Episode {
  let steps = episode.steps;
  for (let size = Math.ceil(steps.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < steps.length; ) {
      const fewer = [...steps.slice(0, at), ...steps.slice(at + size)];
      if (breaks({ ...episode, steps: fewer })) steps = fewer;
      else at += size;
    }
  }
  return { ...episode, steps };
}

function breaksRule(episode: Episode, rule: string): boolean {
  try {
    play(episode);
    return false;
  } catch (error) {
    return error instanceof Broken && error.rule === rule;
  }
}

function describeFailure(seed: number, episode: Episode, broken: Broken): string {
  const { mode, bound, steps } = shrink(episode, (each) => breaksRule(each, broken.rule));
  const lines = steps.map((step: Step) => JSON.stringify(step));
  return `seed ${seed} (${String(mode)}${bound ? ', bound' : ''}): ${broken.message}\n${lines.join('\n')}`;
}

/** The messages of RFC 4475, where they lie beside the clone. */
function knownMessages(): readonly string[] {
  const folder = new URL('../../../../shared/data/rfc4475/', import.meta.url);
  try {
    const names = readdirSync(folder).filter((name) => name.endsWith('.dat'));
    return names.sort().map((name) => readFileSync(new URL(name, folder)).toString('latin1'));
  } catch {
    return [];
  }
}
