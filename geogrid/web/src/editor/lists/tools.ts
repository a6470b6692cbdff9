// Tools on lists of households: dots that are looped or clicked, and lists that become one.
import type { Command, LonLat } from '../../api/types';
import { createOf, merge, paintHomes } from '../commands';
import { Gesture, type Press } from '../gesture';

const REACH_PX = 10;
const TOUCH_PX = 24;
const MOVED_PX = 6;

abstract class OnLists extends Gesture {
  protected get lists() {
    return this.session.lists;
  }

  protected homesAt({ point, isTouch }: Press): string[] {
    return this.lists.roll.at(point, this.project, isTouch ? TOUCH_PX : REACH_PX);
  }

  protected listAt(at: Press): string {
    return this.lists.roll.member(this.homesAt(at)[0] ?? '')?.properties.list ?? '';
  }
}

// A click on a dot takes its list in hand, and one beside them the cell.
export class PickList extends OnLists {
  override click(at: Press): void {
    const { context } = this.session;
    const member = this.lists.roll.member(this.homesAt(at)[0] ?? '');
    const cell = member ? member.properties.cell : this.view.cellAt(at.point);
    if (member) this.lists.take(member.properties.list);
    if (cell && (!member || !this.cell)) void context.pickCell(cell);
    this.session.forget();
    this.session.tellChange();
  }
}

// A loop adds who lives in it, a click adds or leaves out who lives there; nothing is stored until
// it is said.
abstract class ChooseHomes extends OnLists {
  private line: LonLat[] = [];
  private from: Press['point'] = { x: 0, y: 0 };
  // A loop that ends where it began ends in a click as well.
  private hasDrawn = false;

  protected abstract command(): Command;

  override press({ point }: Press): boolean {
    if (!this.cell || !this.lists.roll.members.length) return false;
    this.from = point;
    this.hasDrawn = false;
    return true;
  }

  override drag({ point, place }: Press): void {
    if (!this.line.length && Math.hypot(point.x - this.from.x, point.y - this.from.y) <= MOVED_PX) return;
    this.line.push(place);
    this.show({ line: this.line });
  }

  override async release(): Promise<void> {
    if (!this.line.length) return;
    this.hasDrawn = true;
    this.lists.add(this.lists.roll.inLoop(this.line));
    this.line = [];
    this.show({});
    this.count();
  }

  override click(at: Press): void {
    const ids = this.homesAt(at);
    if (!ids.length || this.hasDrawn) return;
    this.lists.toggle(ids);
    // Many may live at one point: then the table shows these alone, to leave some out.
    if (ids.length > 1) this.lists.sift({ of: 'here', words: '', list: '', ids: new Set(ids) });
    this.count();
  }

  count(): void {
    if (this.canEnter) this.session.preview(this.command());
    else this.session.forget();
    this.session.tellChange();
  }

  override async enter(): Promise<void> {
    if (this.canEnter) await this.session.commit(this.command());
  }

  override get canRemove(): boolean {
    return this.lists.chosen.size > 0;
  }

  override async remove(): Promise<void> {
    this.lists.clear();
    this.count();
  }

  override drop(): void {
    this.line = [];
    super.drop();
  }
}

export class PutHomes extends ChooseHomes {
  override get canEnter(): boolean {
    return this.lists.code !== '' && this.lists.moving.length > 0;
  }

  protected command(): Command {
    return paintHomes(this.lists.level, this.lists.code, this.lists.moving);
  }
}

export class CreateList extends ChooseHomes {
  override get canEnter(): boolean {
    return this.lists.chosen.size > 0;
  }

  override async enter(): Promise<void> {
    if (!this.canEnter || !(await this.session.commit(this.command()))) return;
    this.lists.wish.name = '';
    this.lists.wish.kind = '';
  }

  protected command(): Command {
    const { level, chosen, wish } = this.lists;
    return createOf(level, [...chosen], wish.name.trim(), wish.kind);
  }
}

export class MergeLists extends OnLists {
  override click(at: Press): void {
    const code = this.listAt(at);
    if (code) this.toggle(code);
  }

  toggle(code: string): void {
    const { merging } = this.session;
    this.session.merging = merging.includes(code) ? merging.filter((one) => one !== code) : [...merging, code];
    this.session.forget();
    if (this.canEnter) this.session.preview(this.command());
    this.session.tellChange();
  }

  override get canEnter(): boolean {
    return this.session.merging.length > 1;
  }

  override async enter(): Promise<void> {
    if (!this.canEnter) return;
    if (await this.session.commit(this.command())) this.session.merging = [];
    this.session.tellChange();
  }

  override get canRemove(): boolean {
    return this.session.merging.length > 0;
  }

  override async remove(): Promise<void> {
    this.session.merging = [];
    this.session.forget();
    this.session.tellChange();
  }

  override drop(): void {
    this.session.merging = [];
    super.drop();
  }

  // The first one that was chosen stays.
  private command(): Command {
    const { merging } = this.session;
    return merge(this.lists.level, merging, merging[0] ?? '');
  }
}
