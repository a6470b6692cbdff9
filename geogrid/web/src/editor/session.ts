// An editing session: the tool in hand, what it would do, and what the service made of it.
import { ApiError } from '../api/client';
import type { Command, EditAnswer, Locks, PreviewAnswer, Shape } from '../api/types';
import { ask, type Context, sentenceOf } from '../context';
import { atMost, later } from '../dom';
import { t } from '../i18n';
import { askWhich } from '../panels/dialogs';
import { allowingPieces } from './commands';
import { askConflict } from './conflict';
import { Ground, type Layer } from './ground';
import { ListDesk } from './lists/desk';
import { said } from './refusal';
import { canRedo, canUndo, didStep, NO_STEPS, redidStep, type Steps, undidStep } from './steps';

export const TOOLS = ['pick', 'paint', 'lasso', 'create', 'split', 'merge', 'border', 'snap', 'facts'] as const;
// The same on lists of households.
export const LIST_TOOLS = ['list_pick', 'list_put', 'list_create', 'list_merge', 'list_facts'] as const;
export type Tool = (typeof TOOLS | typeof LIST_TOOLS)[number];

// Whether the service would take it: asked once the pointer rests.
export type Check = 'none' | 'asking' | 'good' | 'refused';

const LAYERS: Partial<Record<Tool, Layer>> = { paint: 'atoms', lasso: 'atoms', create: 'atoms', border: 'arcs', snap: 'arcs' };
const PREVIEW_MS = 120;
const PROVE_MS = 350;

export interface Watcher {
  changed(): void;
  drawn(shapes: readonly Shape[]): void;
}

export class Session {
  tool: Tool = 'pick';
  brush = 6;
  within = 30;
  allowsPieces = false;
  merging: string[] = [];
  steps: Steps = NO_STEPS;
  live: PreviewAnswer | null = null;
  check: Check = 'none';
  isCounting = false;
  isSaving = false;
  // Somebody else was faster, and the planner has not said yet what is to be done.
  isDeciding = false;
  readonly ground: Ground;
  readonly lists: ListDesk;
  private wanted: Command | null = null;
  private asked = 0;
  private readonly count = atMost(PREVIEW_MS, (command: Command) => void this.countNow(command));
  private readonly prove = later(PROVE_MS, (command: Command) => void this.proveNow(command));

  constructor(readonly context: Context, private readonly watcher: Watcher) {
    this.ground = new Ground(context, () => watcher.changed());
    this.lists = new ListDesk(context, () => watcher.changed());
  }

  get tools(): readonly Tool[] {
    return this.lists.isOn ? LIST_TOOLS : TOOLS;
  }

  get isGround(): boolean {
    return LAYERS[this.tool] !== undefined;
  }

  get locks(): Locks {
    const { info } = this.context.store.get();
    return { levels: info?.locks.levels ?? [], cells: info?.locks.cells ?? [] };
  }

  get canUndo(): boolean {
    return canUndo(this.context.store.get().info?.steps, this.steps);
  }

  get canRedo(): boolean {
    return canRedo(this.context.store.get().info?.steps, this.steps);
  }

  take(tool: Tool): void {
    this.tool = tool;
    this.merging = [];
    this.allowsPieces = false;
    this.forget();
    this.ground.want(LAYERS[tool] ?? null);
    this.watcher.changed();
  }

  allowPieces(isAllowed: boolean): void {
    this.allowsPieces = isAllowed;
    if (this.wanted) this.preview(this.wanted);
    this.watcher.changed();
  }

  // A tool's own state changed what the panel says.
  tellChange(): void {
    this.watcher.changed();
  }

  // Throws away what a gesture would do.
  forget(): void {
    this.asked += 1;
    this.wanted = null;
    this.live = null;
    this.check = 'none';
    this.isCounting = false;
    this.watcher.drawn([]);
  }

  // Counts what a command would do while it is still being drawn; only the last question counts.
  preview(command: Command): void {
    this.wanted = command;
    this.isCounting = true;
    this.check = 'asking';
    this.count(command);
    this.prove(command);
  }

  async commit(command: Command): Promise<boolean> {
    const whole = allowingPieces(command, this.allowsPieces);
    return this.save(() => this.context.api.edit(this.plan, this.head, whole), command, () => {
      this.steps = didStep(this.steps, command);
      this.allowsPieces = false;
      this.context.tell(t('saved'));
    });
  }

  async undo(): Promise<boolean> {
    if (!this.canUndo) return false;
    return this.save(() => this.context.api.undo(this.plan, this.head), null, () => {
      this.steps = undidStep(this.steps);
      this.context.tell(t('undone'));
    });
  }

  async redo(): Promise<boolean> {
    if (!this.canRedo) return false;
    return this.save(() => this.context.api.redo(this.plan, this.head), null, () => {
      this.steps = redidStep(this.steps);
      this.context.tell(t('redone'));
    });
  }

  async lock(locks: Locks): Promise<void> {
    const answer = await ask(this.context.api.lock(this.plan, this.head, locks));
    if (answer.state === 'failed') return this.context.tell(said(answer.why).first, true);
    await this.context.refresh(this.head);
    return this.watcher.changed();
  }

  async submit(): Promise<void> {
    if ((await askWhich(t('submit'), t('submitAsk'), [], [t('submit'), t('cancel')])) !== 0) return;
    const answer = await ask(this.context.api.setState(this.plan, this.head, 'submitted'));
    if (answer.state === 'failed') return this.context.tell(said(answer.why).first, true);
    await this.context.refresh(this.head);
    this.context.tell(t('submitted'));
    return this.watcher.changed();
  }

  private get plan(): string {
    return this.context.store.get().plan;
  }

  private get head(): string {
    return this.context.store.get().info?.head ?? '';
  }

  private async countNow(command: Command): Promise<void> {
    if (command !== this.wanted) return;
    const number = (this.asked += 1);
    const answer = await ask(this.context.api.preview(this.plan, this.head, allowingPieces(command, this.allowsPieces)));
    if (number !== this.asked || command !== this.wanted) return;
    this.isCounting = false;
    this.heard(answer.state === 'there' ? answer.value : { cells: [], refused: answer.state === 'failed' ? answer.why : null });
  }

  // The service draws and proves the cells as it would on saving, and keeps nothing.
  private async proveNow(command: Command): Promise<void> {
    if (command !== this.wanted || this.isSaving) return;
    const answer = await ask(this.context.api.preview(this.plan, this.head, allowingPieces(command, this.allowsPieces), true));
    if (command !== this.wanted || answer.state !== 'there') return;
    if (!answer.value.refused) {
      this.check = 'good';
      this.watcher.drawn(answer.value.drawn ?? []);
      this.watcher.changed();
      return;
    }
    this.heard({ cells: this.live?.cells ?? [], refused: answer.value.refused });
  }

  private heard(live: PreviewAnswer): void {
    this.live = live;
    if (live.refused) {
      this.check = 'refused';
      this.watcher.drawn([]);
    }
    this.watcher.changed();
  }

  private async save(send: () => Promise<EditAnswer>, command: Command | null, then: () => void): Promise<boolean> {
    if (this.isSaving) return false;
    this.isSaving = true;
    this.watcher.changed();
    try {
      const answer = await send();
      await this.context.refresh(answer.version);
      this.forget();
      this.live = { cells: answer.change.cells.map(({ after, ...cell }) => ({ ...cell, households: after })), refused: null };
      then();
      await this.pickAfter(answer, command);
      this.ground.load();
      return true;
    } catch (fault) {
      return await this.refuse(fault, command);
    } finally {
      this.isSaving = false;
      this.watcher.changed();
    }
  }

  // The card speaks of the cell as it is now; a cell that is gone is picked no more.
  private async pickAfter(answer: EditAnswer, command: Command | null): Promise<void> {
    if (command && this.lists.owns(command)) return this.lists.stored(command, answer);
    const { change } = answer;
    const { cell, level } = this.context.store.get();
    const isGone = change.retired.some(({ code }) => code === cell);
    const made = command?.command === 'create' ? change.created.find((one) => one.level === level)?.code : undefined;
    const next = made ?? (isGone ? change.cells.find((one) => one.level === level && one.after !== null)?.code : cell);
    if (next) await this.context.pickCell(next);
    else if (isGone) this.context.store.set({ cell: '', card: null });
  }

  private async refuse(fault: unknown, command: Command | null): Promise<boolean> {
    this.forget();
    if (!(fault instanceof ApiError) || !fault.isConflict) {
      const { first } = said(sentenceOf(fault));
      this.live = { cells: [], refused: sentenceOf(fault) };
      this.check = 'refused';
      this.context.tell(t('refused', { why: first }), true);
      return false;
    }
    this.isDeciding = true;
    this.watcher.changed();
    const isAgain = await askConflict(this.context, this.ground.look(), fault.problem, command !== null);
    this.isDeciding = false;
    // What was done before somebody else's step is no longer the last step.
    this.steps = NO_STEPS;
    this.ground.load();
    this.isSaving = false;
    return command !== null && isAgain ? this.commit(command) : false;
  }
}
