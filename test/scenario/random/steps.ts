import * as callers from './callers.ts';
import * as invitees from './invitees.ts';
import * as operator from './operator.ts';
import type { Scene, Step } from './scene.ts';
import * as watchers from './watchers.ts';

/** What can happen, and how often in comparison with the rest. */
const weighted: readonly (readonly [number, Step])[] = [
  [6, callers.callsFactory],
  [4, callers.callsGroup],
  [9, callers.dialsIn],
  [6, callers.dialsInFromAnother],
  [4, callers.cancels],
  [22, callers.acknowledges],
  [7, callers.hangsUp],
  [9, callers.changesSession],
  [1, callers.asksOddly],
  [16, invitees.rings],
  [14, invitees.answers],
  [14, invitees.refuses],
  [6, invitees.answersWithin],
  [2, invitees.losesMessages],
  [1, invitees.sendsMessages],
  [7, watchers.subscribes],
  [5, watchers.refreshes],
  [30, watchers.answersNotify],
  [9, watchers.refers],
  [9, watchers.answersReferNotify],
  [2, watchers.refreshesReferral],
  [3, watchers.answersRefer],
  [2, operator.asksForConference],
  [3, operator.changesConference],
  [3, operator.dialsOut],
  [3, operator.removes],
  [6, operator.says],
  [1, operator.ends],
  [1, operator.definesGroup],
  [1, operator.definesUser],
  [3, operator.holdsStore],
  [8, operator.releasesStore],
  [1, operator.failsStore],
  [20, operator.passesTime],
];
/** What is too grave to happen often: once in so many steps. */
const rare: readonly (readonly [number, Step])[] = [
  [1_500, operator.losesServer],
  [400, operator.losesConference],
];
const lots = weighted.flatMap(([weight, step]) => Array.from({ length: weight }, () => step));

/** Has something happen that can happen now, and says what it was. */
export function pickStep(scene: Scene): string {
  for (const [steps, step] of rare) {
    const said = scene.chance.below(steps) === 0 ? step(scene) : null;
    if (said !== null) return said;
  }
  for (;;) {
    const said = scene.chance.pick(lots)(scene);
    if (said !== null) return said;
  }
}
