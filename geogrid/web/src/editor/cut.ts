// Tools on whole cells: a line that splits one, and several that become one.
import type { Command, LonLat } from '../api/types';
import { merge, split } from './commands';
import { Gesture, type Press } from './gesture';

const STEP_PX = 5;

export class SplitLine extends Gesture {
  private line: LonLat[] = [];
  private last: Press['point'] | null = null;
  private first: LonLat | null = null;
  private isFreehand = false;

  // A finger draws the line; a mouse clicks it, so that dragging moves the map.
  override press(at: Press): boolean {
    if (!at.isTouch || !this.cell) return false;
    this.last = at.point;
    this.first = at.place;
    this.isFreehand = false;
    return true;
  }

  override drag({ point, place }: Press): void {
    if (this.last && Math.hypot(point.x - this.last.x, point.y - this.last.y) < STEP_PX) return;
    if (!this.isFreehand) this.line = this.first ? [this.first] : [];
    this.isFreehand = true;
    this.last = point;
    this.line.push(place);
    this.show({ line: this.line });
  }

  override async release(): Promise<void> {
    if (this.isFreehand) this.count();
  }

  override click({ place }: Press): void {
    if (!this.cell) return;
    if (this.isFreehand) this.line = [];
    this.isFreehand = false;
    this.line.push(place);
    this.count();
  }

  override doubleClick(): boolean {
    if (!this.canEnter) return false;
    void this.enter();
    return true;
  }

  override get canEnter(): boolean {
    return this.line.length > 1;
  }

  override async enter(): Promise<void> {
    if (!this.canEnter) return;
    await this.session.commit(this.command());
    this.drop();
  }

  override get canRemove(): boolean {
    return this.line.length > 0;
  }

  override async remove(): Promise<void> {
    this.line.pop();
    this.count();
  }

  override drop(): void {
    this.line = [];
    this.last = null;
    this.isFreehand = false;
    super.drop();
  }

  private count(): void {
    this.show({ line: this.line, vertices: this.isFreehand ? [] : this.line });
    if (this.canEnter) this.session.preview(this.command());
    else this.session.forget();
    this.session.tellChange();
  }

  private command(): Command {
    // A double click adds its place twice.
    const line = this.line.filter((place, at) => at === 0 || place.join() !== this.line[at - 1]?.join());
    return split(this.level, this.cell, line);
  }
}

export class MergeCells extends Gesture {
  override click({ point }: Press): void {
    const code = this.view.cellAt(point);
    if (code === null) return;
    const { merging } = this.session;
    this.choose(merging.includes(code) ? merging.filter((one) => one !== code) : [...merging, code]);
  }

  override get canEnter(): boolean {
    return this.session.merging.length > 1;
  }

  override async enter(): Promise<void> {
    if (!this.canEnter) return;
    if (await this.session.commit(this.command())) this.session.merging = [];
    this.session.tellChange();
  }

  override drop(): void {
    this.session.merging = [];
    super.drop();
  }

  // The first one that was chosen stays.
  private choose(codes: string[]): void {
    this.session.merging = codes;
    this.session.forget();
    this.view.pick(codes);
    if (this.canEnter) this.session.preview(this.command());
    this.session.tellChange();
  }

  private command(): Command {
    const { merging } = this.session;
    return merge(this.level, merging, merging[0] ?? '');
  }
}
