// What was done here and can be undone, and what was undone and can be made again. The service
// holds the versions; this only knows which buttons have a meaning.
import type { Command } from '../api/types';

export interface Steps {
  done: readonly Command[];
  undone: readonly Command[];
}

export const NO_STEPS: Steps = { done: [], undone: [] };

export function didStep(steps: Steps, command: Command): Steps {
  return { done: [...steps.done, command], undone: [] };
}

export function undidStep({ done, undone }: Steps): Steps {
  const last = done.at(-1);
  return last ? { done: done.slice(0, -1), undone: [last, ...undone] } : { done, undone };
}

export function redidStep({ done, undone }: Steps): Steps {
  const [next, ...rest] = undone;
  return next ? { done: [...done, next], undone: rest } : { done, undone };
}
