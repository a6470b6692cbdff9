// What can be undone and made again. The service knows it from its versions; where it does not say,
// what was done since this page was opened is counted here.
import type { Command } from '../api/types';

export interface Steps {
  done: readonly Command[];
  undone: readonly Command[];
}

// As the service tells it.
export interface StepsTold {
  can_undo: boolean;
  can_redo: boolean;
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

export function canUndo(told: StepsTold | undefined, here: Steps): boolean {
  return told ? told.can_undo : here.done.length > 0;
}

export function canRedo(told: StepsTold | undefined, here: Steps): boolean {
  return told ? told.can_redo : here.undone.length > 0;
}
