// What the tools share: the pointer as they see it, and what each may do with it.
import type { LonLat } from '../api/types';
import type { MapView } from '../map/view';
import { type Draft, drawDraft } from './draft';
import type { Session } from './session';

export interface Press {
  point: { x: number; y: number };
  place: LonLat;
  isTouch: boolean;
}

// Every tool answers some of these; the others do nothing.
export abstract class Gesture {
  constructor(protected readonly session: Session, protected readonly view: MapView) {}

  // True keeps the map where it is and the pointer with the tool.
  press(_at: Press): boolean {
    return false;
  }

  drag(_at: Press): void {}

  hover(_at: Press): void {}

  // The pointer was let go; true once the gesture is over and nothing of it stays.
  async release(): Promise<void> {}

  click(_at: Press): void {}

  doubleClick(_at: Press): boolean {
    return false;
  }

  get canEnter(): boolean {
    return false;
  }

  async enter(): Promise<void> {}

  get canRemove(): boolean {
    return false;
  }

  async remove(): Promise<void> {}

  // The map came to rest, or the ground was loaded.
  settle(): void {}

  drop(): void {
    this.show({});
  }

  protected get cell(): string {
    return this.session.context.store.get().cell;
  }

  protected get level(): string {
    return this.session.context.store.get().level;
  }

  protected show(draft: Draft): void {
    drawDraft(this.view, draft);
  }

  protected readonly project = (place: LonLat) => this.view.map.project(place);

  protected boxAround({ x, y }: Press['point'], radius: number): [number, number, number, number] {
    const { lng: west, lat: south } = this.view.map.unproject([x - radius, y + radius]);
    const { lng: east, lat: north } = this.view.map.unproject([x + radius, y - radius]);
    return [west, south, east, north];
  }
}

export class Pick extends Gesture {}
