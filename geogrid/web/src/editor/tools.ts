// The pointer on the map, one gesture a tool; each gesture ends in one command.
import type { MapMouseEvent, MapTouchEvent } from 'maplibre-gl';
import type { Command, LonLat } from '../api/types';
import type { MapView } from '../map/view';
import type { Handle } from './arcs';
import { atomsInside, paint, split } from './commands';
import { type Draft, drawDraft } from './draft';
import type { Session } from './session';

type Press = MapMouseEvent | MapTouchEvent;

const GRAB_PX = 14;
const SHOW_PX = 110;
const SHOWN_HANDLES = 24;

const placeOf = (event: Press): LonLat => [event.lngLat.lng, event.lngLat.lat];

export class Tools {
  private taken = new Set<string>();
  private line: LonLat[] = [];
  private held: Handle | null = null;
  private isDown = false;
  private readonly off: (() => void)[] = [];

  constructor(private readonly session: Session, private readonly view: MapView) {
    const { map } = view;
    const on = (names: readonly string[], act: (event: Press) => void) => {
      for (const name of names) {
        const listener = (event: unknown) => act(event as Press);
        map.on(name as 'mousedown', listener);
        this.off.push(() => map.off(name as 'mousedown', listener));
      }
    };
    on(['mousedown', 'touchstart'], (event) => this.press(event));
    on(['mousemove', 'touchmove'], (event) => this.move(event));
    on(['mouseup', 'touchend', 'touchcancel'], () => void this.release());
    on(['click'], (event) => this.click(event));
    on(['dblclick'], (event) => this.doubleClick(event));
    on(['moveend'], () => session.load());
  }

  stop(): void {
    for (const act of this.off) act();
    this.drop();
  }

  // The map obeys the pointer again, and nothing of a gesture is left.
  drop(): void {
    this.taken.clear();
    this.line = [];
    this.held = null;
    this.isDown = false;
    drawDraft(this.view, {});
  }

  adapt(): void {
    const { tool } = this.session;
    this.view.isBusy = tool === 'split' || tool === 'merge' || tool === 'border' || tool === 'paint' || tool === 'lasso';
    if (tool === 'split' || tool === 'border') this.view.map.doubleClickZoom.disable();
    else this.view.map.doubleClickZoom.enable();
    this.view.map.getCanvas().style.cursor = tool === 'pick' ? '' : 'crosshair';
  }

  key(event: KeyboardEvent): boolean {
    if (event.key === 'Escape') {
      this.drop();
      this.session.forget();
      return true;
    }
    if (event.key === 'Enter' && this.session.tool === 'split' && this.line.length > 1) {
      void this.finish(this.splitCommand());
      return true;
    }
    return false;
  }

  private get cell(): string {
    return this.session.context.store.get().cell;
  }

  private get level(): string {
    return this.session.context.store.get().level;
  }

  private press(event: Press): void {
    const { tool } = this.session;
    const isPaint = (tool === 'paint' || tool === 'lasso') && this.cell !== '' && this.session.isNear;
    if (isPaint || (tool === 'border' && this.grab(event))) {
      // Keeps the map where it is.
      event.preventDefault();
      this.isDown = true;
      this.move(event);
    }
  }

  private grab(event: Press): boolean {
    const { arcs } = this.session;
    this.held = arcs?.near(event.point, (place) => this.view.map.project(place), GRAB_PX)[0] ?? null;
    return this.held !== null;
  }

  private move(event: Press): void {
    const { tool } = this.session;
    if (tool === 'border') this.moveBorder(event);
    if (!this.isDown) return;
    if (tool === 'paint') this.brush(event);
    if (tool === 'lasso') {
      this.line.push(placeOf(event));
      this.show({ line: this.line });
    }
  }

  private brush(event: Press): void {
    const { x, y } = event.point;
    const { brush } = this.session;
    const found = this.view.map.queryRenderedFeatures([[x - brush, y - brush], [x + brush, y + brush]], { layers: ['atoms-fill'] });
    const before = this.taken.size;
    for (const { properties } of found) {
      if (properties['cell'] !== this.cell) this.taken.add(String(properties['atom_id']));
    }
    if (this.taken.size === before) return;
    this.show({ atoms: this.session.atoms.filter(({ properties }) => this.taken.has(properties.atom_id)) });
    this.session.preview(paint(this.level, this.cell, [...this.taken]));
  }

  private moveBorder(event: Press): void {
    const { arcs } = this.session;
    if (!arcs) return;
    if (this.isDown && this.held) {
      const to = placeOf(event);
      this.show({ borders: arcs.dragged(this.held, to), vertices: [to] });
      this.session.preview(arcs.moveCommand(this.held, to));
      this.line = [to];
      return;
    }
    const handles = arcs.near(event.point, (place) => this.view.map.project(place), SHOW_PX).slice(0, SHOWN_HANDLES);
    const of = (kind: Handle['kind']) => handles.filter((one) => one.kind === kind).map((one) => arcs.placeOf(one));
    this.show({ vertices: of('vertex'), middles: of('middle') });
  }

  private async release(): Promise<void> {
    if (!this.isDown) return;
    this.isDown = false;
    const { tool, arcs, atoms } = this.session;
    let command: Command | null = null;
    const to = this.line.at(-1);
    if (tool === 'border' && arcs && this.held && to && this.hasMoved(to)) command = arcs.moveCommand(this.held, to);
    if (tool === 'paint' && this.taken.size) command = paint(this.level, this.cell, [...this.taken]);
    if (tool === 'lasso') {
      const inside = new Set(atomsInside(this.line, atoms));
      const wanted = atoms.filter(({ properties }) => inside.has(properties.atom_id) && properties.cell !== this.cell);
      if (wanted.length) command = paint(this.level, this.cell, wanted.map(({ properties }) => properties.atom_id));
    }
    await this.finish(command);
  }

  // A click on a handle is no wish to move it.
  private hasMoved(to: LonLat): boolean {
    const { arcs } = this.session;
    if (!arcs || !this.held) return false;
    const [a, b] = [arcs.placeOf(this.held), to].map((place) => this.view.map.project(place as LonLat));
    return a !== undefined && b !== undefined && Math.hypot(a.x - b.x, a.y - b.y) > 3;
  }

  private click(event: Press): void {
    const { tool } = this.session;
    if (tool === 'merge') this.chooseForMerge(event);
    if (tool !== 'split' || !this.cell) return;
    this.line.push(placeOf(event));
    this.show({ line: this.line, vertices: this.line });
    if (this.line.length > 1) this.session.preview(this.splitCommand());
  }

  private chooseForMerge(event: Press): void {
    const code = this.view.cellAt(event.point);
    if (code === null) return;
    const { merging } = this.session;
    const next = merging.includes(code) ? merging.filter((one) => one !== code) : [...merging, code];
    this.session.chooseForMerge(next);
    this.view.pick(next);
  }

  private doubleClick(event: Press): void {
    const { tool, arcs } = this.session;
    if (tool === 'split' && this.line.length > 1) {
      event.preventDefault();
      void this.finish(this.splitCommand());
    }
    if (tool !== 'border' || !arcs) return;
    event.preventDefault();
    const handle = arcs.near(event.point, (place) => this.view.map.project(place), GRAB_PX)[0];
    const command = handle && arcs.removeCommand(handle);
    if (command) void this.finish(command);
  }

  private splitCommand(): Command {
    // A double click adds its place twice.
    const line = this.line.filter((place, at) => at === 0 || place.join() !== this.line[at - 1]?.join());
    return split(this.level, this.cell, line);
  }

  private async finish(command: Command | null): Promise<void> {
    if (command) await this.session.commit(command);
    this.drop();
  }

  private show(draft: Draft): void {
    drawDraft(this.view, draft);
  }
}
