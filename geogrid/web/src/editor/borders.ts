// Tools on borders: vertices that are dragged, added or taken out, and stretches laid onto streets.
import type { LonLat } from '../api/types';
import type { Handle, Way } from './arcs';
import { Gesture, type Press } from './gesture';

const GRAB_PX = 14;
const TOUCH_PX = 28;
const SHOW_PX = 110;
const SHOWN_HANDLES = 24;
const TOUCH_HANDLES = 40;
const APART_PX = 30;
const MOVED_PX = 3;

const reach = ({ isTouch }: Press) => (isTouch ? TOUCH_PX : GRAB_PX);

export class Border extends Gesture {
  private held: Handle | null = null;
  private to: LonLat | null = null;
  // The vertex that was clicked, to be taken out.
  private chosen: Handle | null = null;
  private isTouched = false;

  override press(at: Press): boolean {
    this.isTouched = at.isTouch;
    this.held = this.handleAt(at);
    this.to = null;
    return this.held !== null;
  }

  override drag({ place }: Press): void {
    const { arcs } = this.session.ground;
    if (!arcs || !this.held) return;
    this.to = place;
    this.chosen = null;
    this.show({ borders: arcs.dragged(this.held, place), vertices: [place] });
    this.session.preview(arcs.moveCommand(this.held, place));
  }

  override hover(at: Press): void {
    const { arcs } = this.session.ground;
    if (!arcs || at.isTouch) return;
    this.showHandles(arcs.near(at.point, this.project, SHOW_PX, this.boxAround(at.point, SHOW_PX)).slice(0, SHOWN_HANDLES));
  }

  override async release(): Promise<void> {
    const { arcs } = this.session.ground;
    const { held, to } = this;
    this.held = null;
    this.to = null;
    if (!arcs || !held) return;
    // A click on a handle is no wish to move it.
    if (to && this.hasMoved(arcs.placeOf(held), to)) {
      await this.session.commit(arcs.moveCommand(held, to));
      this.drop();
      return;
    }
    this.chosen = held.kind === 'vertex' ? held : null;
    this.session.forget();
    this.settle();
    this.session.tellChange();
  }

  override doubleClick(at: Press): boolean {
    this.chosen = this.handleAt(at);
    void this.remove();
    return true;
  }

  override get canRemove(): boolean {
    const { arcs } = this.session.ground;
    return this.chosen !== null && arcs !== null && arcs.removeCommand(this.chosen) !== null;
  }

  override async remove(): Promise<void> {
    const { arcs } = this.session.ground;
    const command = this.chosen && arcs?.removeCommand(this.chosen);
    this.chosen = null;
    if (command) await this.session.commit(command);
    this.drop();
  }

  // No pointer hovers over a touched map, so handles stand all over it, well apart.
  override settle(): void {
    const { arcs } = this.session.ground;
    if (!arcs || this.held) return;
    const isCoarse = this.isTouched || window.matchMedia('(pointer: coarse)').matches;
    if (!isCoarse) return this.showHandles([]);
    const { clientWidth: width, clientHeight: height } = this.view.map.getCanvas();
    const middle = { x: width / 2, y: height / 2 };
    const apart: { handle: Handle; x: number; y: number }[] = [];
    for (const handle of arcs.near(middle, this.project, Math.hypot(width, height) / 2, this.view.box())) {
      const { x, y } = this.project(arcs.placeOf(handle));
      if (apart.every((one) => Math.hypot(one.x - x, one.y - y) >= APART_PX)) apart.push({ handle, x, y });
      if (apart.length >= TOUCH_HANDLES) break;
    }
    return this.showHandles(apart.map(({ handle }) => handle));
  }

  override drop(): void {
    this.held = null;
    this.to = null;
    this.chosen = null;
    super.drop();
    this.settle();
  }

  private handleAt(at: Press): Handle | null {
    const radius = reach(at);
    return this.session.ground.arcs?.near(at.point, this.project, radius, this.boxAround(at.point, radius))[0] ?? null;
  }

  private showHandles(handles: readonly Handle[]): void {
    const { arcs } = this.session.ground;
    if (!arcs) return;
    const of = (kind: Handle['kind']) => handles.filter((one) => one.kind === kind).map((one) => arcs.placeOf(one));
    this.show({ vertices: of('vertex'), middles: of('middle'), chosen: this.chosen ? [arcs.placeOf(this.chosen)] : [] });
  }

  private hasMoved(from: LonLat, to: LonLat): boolean {
    const [a, b] = [this.project(from), this.project(to)];
    return Math.hypot(a.x - b.x, a.y - b.y) > MOVED_PX;
  }
}

// A click takes the border up to where it meets others, a drag a part of it.
export class SnapBorder extends Gesture {
  private way: Way = [];
  private from: number | null = null;
  private start: Press | null = null;

  override press(at: Press): boolean {
    const { arcs } = this.session.ground;
    const radius = reach(at);
    if (!arcs?.wayAt(at.point, this.project, radius, this.boxAround(at.point, radius)).length) return false;
    this.start = at;
    this.from = arcs.vertexNear(at.point, this.project, radius * 2, this.boxAround(at.point, radius * 2));
    this.way = [];
    return true;
  }

  override drag(at: Press): void {
    const { arcs } = this.session.ground;
    const radius = reach(at) * 2;
    const to = arcs?.vertexNear(at.point, this.project, radius, this.boxAround(at.point, radius)) ?? null;
    if (!arcs || this.from === null || to === null) return;
    this.way = arcs.wayBetween(this.from, to);
    this.show({ borders: [arcs.lineOf(this.way)] });
  }

  override hover(at: Press): void {
    const { arcs } = this.session.ground;
    if (!arcs || this.way.length || at.isTouch) return;
    const way = arcs.wayAt(at.point, this.project, GRAB_PX, this.boxAround(at.point, GRAB_PX));
    this.show({ line: arcs.lineOf(way) });
  }

  override async release(): Promise<void> {
    const { arcs } = this.session.ground;
    const { start } = this;
    this.start = null;
    if (!arcs || !start) return;
    const radius = reach(start);
    if (!this.way.length) this.way = arcs.wayAt(start.point, this.project, radius, this.boxAround(start.point, radius));
    this.count();
  }

  override get canEnter(): boolean {
    return (this.session.ground.arcs?.snapCommand(this.way, 1) ?? null) !== null;
  }

  override async enter(): Promise<void> {
    const command = this.session.ground.arcs?.snapCommand(this.way, this.session.within);
    if (!command) return;
    await this.session.commit(command);
    this.drop();
  }

  override drop(): void {
    this.way = [];
    this.from = null;
    this.start = null;
    super.drop();
  }

  count(): void {
    const { arcs } = this.session.ground;
    const command = arcs?.snapCommand(this.way, this.session.within);
    this.show({ borders: arcs && this.way.length ? [arcs.lineOf(this.way)] : [] });
    if (command) this.session.preview(command);
    else this.session.forget();
    this.session.tellChange();
  }
}
