// The pointer on the map: it is handed to the tool in hand, one finger or button at a time.
import type { MapMouseEvent, MapTouchEvent } from 'maplibre-gl';
import type { MapView } from '../map/view';
import { Border, SnapBorder } from './borders';
import { MergeCells, SplitLine } from './cut';
import { type Gesture, Pick, type Press } from './gesture';
import { CreateList, MergeLists, PickList, PutHomes } from './lists/tools';
import type { Session, Tool } from './session';
import { Brush, Create, Lasso } from './take';

// Browsers follow a touch with the clicks of a mouse that was never there.
const ECHO_MS = 700;
const NEEDS_CELL: readonly Tool[] = ['paint', 'lasso', 'split', 'list_put', 'list_create'];
// A click of these is theirs, but they draw nothing.
const POINTS: readonly Tool[] = ['list_pick', 'list_merge', 'list_facts'];

type MapPress = MapMouseEvent | MapTouchEvent;

const isTouch = (event: MapPress): event is MapTouchEvent => event.type.startsWith('touch');
const pressOf = (event: MapPress, touch = isTouch(event)): Press =>
  ({ point: event.point, place: [event.lngLat.lng, event.lngLat.lat], isTouch: touch });

export class Tools {
  readonly create: Create;
  readonly snap: SnapBorder;
  readonly put: PutHomes;
  readonly createList: CreateList;
  readonly mergeLists: MergeLists;
  private readonly gestures: Record<Tool, Gesture>;
  private isDown = false;
  private touchedAt = -Infinity;
  private readonly off: (() => void)[] = [];

  constructor(private readonly session: Session, private readonly view: MapView) {
    this.create = new Create(session, view);
    this.snap = new SnapBorder(session, view);
    this.put = new PutHomes(session, view);
    this.createList = new CreateList(session, view);
    this.mergeLists = new MergeLists(session, view);
    const pick = new Pick(session, view);
    const pickList = new PickList(session, view);
    this.gestures = {
      pick, facts: pick,
      paint: new Brush(session, view), lasso: new Lasso(session, view), create: this.create,
      split: new SplitLine(session, view), merge: new MergeCells(session, view),
      border: new Border(session, view), snap: this.snap,
      list_pick: pickList, list_facts: pickList, list_put: this.put, list_create: this.createList, list_merge: this.mergeLists,
    };
    this.listen();
  }

  get now(): Gesture {
    return this.gestures[this.session.tool];
  }

  stop(): void {
    for (const act of this.off) act();
    this.drop();
  }

  // The map obeys the pointer again, and nothing of a gesture is left.
  drop(): void {
    this.isDown = false;
    this.now.drop();
  }

  adapt(): void {
    const { tool, context } = this.session;
    // Who has no cell yet clicks one whatever the tool.
    const isPicking = tool === 'pick' || tool === 'facts' || (NEEDS_CELL.includes(tool) && !context.store.get().cell);
    this.view.isBusy = !isPicking;
    if (tool === 'split' || tool === 'border') this.view.map.doubleClickZoom.disable();
    else this.view.map.doubleClickZoom.enable();
    this.view.map.getCanvas().style.cursor = isPicking || POINTS.includes(tool) ? '' : 'crosshair';
  }

  private listen(): void {
    const { map } = this.view;
    const on = (name: string, act: (event: MapPress) => void) => {
      const listener = (event: unknown) => act(event as MapPress);
      map.on(name as 'mousedown', listener);
      this.off.push(() => map.off(name as 'mousedown', listener));
    };
    for (const name of ['mousedown', 'touchstart']) on(name, (event) => this.press(event));
    for (const name of ['mousemove', 'touchmove']) on(name, (event) => this.move(event));
    for (const name of ['mouseup', 'touchend', 'touchcancel']) on(name, (event) => this.release(event));
    on('click', (event) => this.click(event));
    on('dblclick', (event) => {
      if (this.now.doubleClick(pressOf(event))) event.preventDefault();
    });
    on('moveend', () => {
      this.session.ground.load();
      this.session.lists.adapt();
    });
  }

  private isEcho(event: MapPress): boolean {
    return !isTouch(event) && performance.now() - this.touchedAt < ECHO_MS;
  }

  private press(event: MapPress): void {
    if (this.isEcho(event) || this.session.isSaving) return;
    if (isTouch(event)) {
      this.touchedAt = performance.now();
      // Two fingers move the map: what one of them had begun is forgotten.
      if (event.points.length > 1) {
        if (this.isDown) {
          this.drop();
          this.session.forget();
        }
        return;
      }
    } else if (event.originalEvent.button !== 0) return;
    if (!this.now.press(pressOf(event))) return;
    // Keeps the map where it is.
    event.preventDefault();
    this.isDown = true;
  }

  private move(event: MapPress): void {
    if (this.isEcho(event)) return;
    if (isTouch(event)) this.touchedAt = performance.now();
    if (this.isDown) {
      event.preventDefault();
      this.now.drag(pressOf(event));
    } else if (!isTouch(event)) this.now.hover(pressOf(event));
  }

  private release(event: MapPress): void {
    if (this.isEcho(event)) return;
    if (isTouch(event)) this.touchedAt = performance.now();
    if (!this.isDown) return;
    this.isDown = false;
    void this.now.release();
  }

  private click(event: MapPress): void {
    if (this.view.isBusy && !this.session.isSaving) this.now.click(pressOf(event, performance.now() - this.touchedAt < ECHO_MS));
  }
}
