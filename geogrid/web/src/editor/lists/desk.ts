// What an editor of lists has before it: the level, who lives in the cell, and who was chosen.
import type { Command, EditAnswer, Level } from '../../api/types';
import { ask, type Asked, type Context, LOADING } from '../../context';
import { later } from '../../dom';
import type { Wish } from '../take';
import { loadRoll } from './load';
import { ALL, Roll, type Sieve, toggled } from './roll';

const NOBODY = new Roll([], []);
const NOWHERE = { version: '', level: '', place: '' };

export class ListDesk {
  // Key of the level of lists that is edited; "" while cells are.
  level = '';
  // The list in hand.
  code = '';
  chosen: ReadonlySet<string> = new Set();
  sieve: Sieve = ALL;
  page = 0;
  asked: Asked<Roll> = LOADING;
  readonly wish: Wish = { name: '', kind: '' };
  private of = NOWHERE;
  private number = 0;
  private readonly loadSoon = later(120, () => void this.load());

  constructor(private readonly context: Context, private readonly onChange: () => void) {}

  get levels(): readonly Level[] {
    return this.context.store.get().info?.lists ?? [];
  }

  get isOn(): boolean {
    return this.level !== '';
  }

  get now(): Level | null {
    return this.levels.find(({ key }) => key === this.level) ?? null;
  }

  get roll(): Roll {
    return this.asked.state === 'there' ? this.asked.value : NOBODY;
  }

  nameOf(code: string): string {
    return this.roll.get(code)?.name ?? '';
  }

  // Those of the chosen whom the list in hand does not hold yet.
  get moving(): string[] {
    return [...this.chosen].filter((id) => this.roll.member(id)?.properties.list !== this.code);
  }

  owns({ level }: Command): boolean {
    return this.levels.some(({ key }) => key === level);
  }

  open(level: string): void {
    this.level = level;
    this.code = '';
    this.clear();
    this.wish.name = '';
    this.wish.kind = '';
    this.adapt();
  }

  take(code: string): void {
    this.code = code;
    if (this.sieve.of === 'list') this.sift({ ...this.sieve, list: code });
  }

  toggle(ids: readonly string[]): void {
    this.chosen = toggled(this.chosen, ids);
  }

  add(ids: readonly string[]): void {
    this.chosen = new Set([...this.chosen, ...ids]);
  }

  clear(): void {
    this.chosen = new Set();
    this.sift(ALL);
  }

  sift(sieve: Sieve): void {
    this.sieve = sieve;
    this.page = 0;
  }

  // Asks anew where the version, the level, the cell, or without a cell the view is another.
  adapt(): void {
    const view = this.context.view();
    const { plan, info, cell } = this.context.store.get();
    const place = cell || (view?.box() ?? []).map((value) => value.toFixed(5)).join();
    const of = this.isOn ? { version: `${plan} ${info?.head ?? ''}`, level: this.level, place } : NOWHERE;
    const was = this.of;
    if (of.version === was.version && of.level === was.level && of.place === was.place) return;
    this.of = of;
    this.number += 1;
    if (!this.isOn) {
      this.asked = LOADING;
      return;
    }
    // A view that moves a little shows what it showed; another cell shows nothing of the last one.
    if (of.level !== was.level || (cell !== '' && place !== was.place)) {
      this.asked = LOADING;
      this.clear();
    }
    this.loadSoon();
  }

  // What a command that was stored made: the list in hand is the one it speaks of.
  stored(command: Command, { change }: EditAnswer): void {
    const made = change.created.find(({ level }) => level === command['level'])?.code;
    const kept = command.command === 'merge' ? command['into'] : command['target'];
    if (command.command === 'create') this.code = made ?? this.code;
    else if (typeof kept === 'string') this.code = kept;
    if (['paint', 'create'].includes(command.command)) this.clear();
  }

  private async load(): Promise<void> {
    const view = this.context.view();
    const { plan, info, cell } = this.context.store.get();
    if (!view || !info || !this.isOn) return;
    const { number } = this;
    const found = await ask(loadRoll(this.context.api, { plan, version: info.head, level: this.level, cell, box: view.box() }));
    if (number !== this.number) return;
    this.asked = found;
    if (found.state === 'there') {
      const { value } = found;
      this.chosen = new Set([...this.chosen].filter((id) => value.member(id)));
      if (cell && this.code && !value.get(this.code)) this.code = '';
    }
    this.onChange();
  }
}
