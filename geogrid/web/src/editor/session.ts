// An editing session: the tool in hand, what it would do, and what the service made of it.
import { ApiError } from '../api/client';
import type { AtomFacts, Command, EditAnswer, Feature, Locks, PreviewAnswer } from '../api/types';
import { ask, type Context, sentenceOf } from '../context';
import { atMost, later } from '../dom';
import { t } from '../i18n';
import { askWhich } from '../panels/dialogs';
import { ArcModel } from './arcs';
import { merge } from './commands';
import { didStep, NO_STEPS, redidStep, type Steps, undidStep } from './steps';

export const TOOLS = ['pick', 'paint', 'lasso', 'split', 'merge', 'border'] as const;
export type Tool = (typeof TOOLS)[number];

// Farther out one would paint what one does not see.
const LEAST_ZOOM = 13;
const PREVIEW_MS = 120;

export class Session {
  tool: Tool = 'pick';
  brush = 6;
  merging: string[] = [];
  steps: Steps = NO_STEPS;
  live: PreviewAnswer | null = null;
  isCounting = false;
  isSaving = false;
  atoms: Feature<AtomFacts>[] = [];
  arcs: ArcModel | null = null;
  before = new Map<string, number | null>();
  private wanted: Command | null = null;
  private asked = 0;
  private loaded = 0;
  readonly load = later(150, () => void this.loadGround());
  private readonly count = atMost(PREVIEW_MS, (command: Command) => void this.countNow(command));

  constructor(readonly context: Context, private readonly onChange: () => void) {}

  get isNear(): boolean {
    return (this.context.view()?.map.getZoom() ?? 0) >= LEAST_ZOOM;
  }

  get locks(): Locks {
    const { info } = this.context.store.get();
    return { levels: info?.locks.levels ?? [], cells: info?.locks.cells ?? [] };
  }

  take(tool: Tool): void {
    this.tool = tool;
    this.merging = [];
    this.forget();
    this.load();
    this.onChange();
  }

  chooseForMerge(codes: string[]): void {
    this.merging = codes;
    this.forget();
    const { level } = this.context.store.get();
    if (codes.length > 1) this.preview(merge(level, codes, codes[0] ?? ''));
    this.onChange();
  }

  // Throws away what a gesture would do.
  forget(): void {
    this.asked += 1;
    this.wanted = null;
    this.live = null;
    this.before = new Map();
    this.isCounting = false;
  }

  // Counts what a command would do while it is still being drawn; only the last question counts.
  preview(command: Command): void {
    this.wanted = command;
    this.isCounting = true;
    this.count(command);
  }

  async commit(command: Command): Promise<boolean> {
    return this.save(() => this.context.api.edit(this.plan, this.head, command), command, () => {
      this.steps = didStep(this.steps, command);
      this.context.tell(t('saved'));
    });
  }

  undo(): Promise<boolean> {
    return this.save(() => this.context.api.undo(this.plan, this.head), null, () => {
      this.steps = undidStep(this.steps);
      this.context.tell(t('undone'));
    });
  }

  redo(): Promise<boolean> {
    return this.save(() => this.context.api.redo(this.plan, this.head), null, () => {
      this.steps = redidStep(this.steps);
      this.context.tell(t('redone'));
    });
  }

  async lock(locks: Locks): Promise<void> {
    const answer = await ask(this.context.api.lock(this.plan, this.head, locks));
    if (answer.state === 'failed') return this.context.tell(answer.why, true);
    await this.context.refresh(this.head);
    return this.onChange();
  }

  async submit(): Promise<void> {
    if ((await askWhich(t('submit'), t('submitAsk'), [], [t('submit'), t('cancel')])) !== 0) return;
    const answer = await ask(this.context.api.setState(this.plan, this.head, 'submitted'));
    if (answer.state === 'failed') return this.context.tell(answer.why, true);
    await this.context.refresh(this.head);
    this.context.tell(t('submitted'));
    return this.onChange();
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
    const answer = await ask(this.context.api.preview(this.plan, this.head, command));
    if (number !== this.asked) return;
    this.isCounting = false;
    if (answer.state === 'there') this.live = answer.value;
    if (answer.state === 'failed') this.live = { cells: [], refused: answer.why };
    this.onChange();
  }

  private async save(send: () => Promise<EditAnswer>, command: Command | null, then: () => void): Promise<boolean> {
    if (this.isSaving) return false;
    this.isSaving = true;
    this.onChange();
    try {
      const answer = await send();
      await this.context.refresh(answer.version);
      this.forget();
      this.live = { cells: answer.change.cells.map(({ level, code, after, band }) => ({ level, code, households: after, band })), refused: null };
      this.before = new Map(answer.change.cells.map(({ code, before }) => [code, before]));
      then();
      this.load();
      return true;
    } catch (fault) {
      return await this.refuse(fault, command);
    } finally {
      this.isSaving = false;
      this.onChange();
    }
  }

  private async refuse(fault: unknown, command: Command | null): Promise<boolean> {
    this.forget();
    if (!(fault instanceof ApiError) || !fault.isConflict) {
      this.context.tell(t('refused', { why: sentenceOf(fault) }), true);
      return false;
    }
    const changed = Object.entries(fault.problem.changed_cells ?? {}).flatMap(([, codes]) => codes);
    const choices = command ? [t('conflictRetry'), t('conflictDrop')] : [t('conflictDrop')];
    const text = changed.length ? t('conflictText') : `${t('conflictText')} ${t('conflictNone')}`;
    const chosen = await askWhich(t('conflict'), text, changed, choices);
    await this.context.refresh(fault.problem.head);
    // What was done before somebody else's step is no longer the last step.
    this.steps = NO_STEPS;
    this.load();
    this.isSaving = false;
    return command !== null && chosen === 0 ? this.commit(command) : false;
  }

  private async loadGround(): Promise<void> {
    const view = this.context.view();
    const number = (this.loaded += 1);
    if (!view || !this.context.store.get().isEditing || !this.isNear) return;
    const { api } = this.context;
    if (this.tool === 'paint' || this.tool === 'lasso') {
      const found = await ask(api.atoms(this.plan, this.head, view.box()));
      if (number !== this.loaded) return;
      if (found.state === 'failed') this.context.tell(found.why, true);
      if (found.state === 'there') {
        this.atoms = found.value.features;
        view.setData('atoms', found.value);
      }
    } else view.clearData('atoms');
    if (this.tool === 'border') {
      const found = await ask(api.arcs(this.plan, this.head, view.box()));
      if (number !== this.loaded) return;
      if (found.state === 'failed') this.context.tell(found.why, true);
      if (found.state === 'there') this.arcs = ArcModel.from(found.value);
    }
  }
}
