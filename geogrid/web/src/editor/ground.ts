// What lies under the tools: atoms and borders of the box on show, never of a whole large plan.
import { ApiError } from '../api/client';
import type { Arc, AtomFacts, Feature } from '../api/types';
import { type Context, sentenceOf } from '../context';
import { later } from '../dom';
import type { MapView } from '../map/view';
import { ArcModel } from './arcs';
import { Owners } from './owners';
import { said } from './refusal';

export type Layer = 'atoms' | 'arcs' | null;

// More than this nobody edits in one view, and the service refuses two thousand.
const MOST_CELLS = 1500;
// Smaller cells are not seen, so they are not hit.
const LEAST_SIDE_PX = 9;

export interface Sight {
  cells: number;
  // Shares of the plan that the view shows, and pixels of the whole plan.
  share: number;
  pixels: number;
}

export function isNearEnough({ cells, share, pixels }: Sight): boolean {
  return cells * share <= MOST_CELLS && Math.sqrt(pixels / Math.max(cells, 1)) >= LEAST_SIDE_PX;
}

function sightOf(view: MapView): Sight {
  const [west, south, east, north] = view.plan.bounds;
  const [left, bottom, right, top] = view.box();
  const overlap = Math.max(0, Math.min(east, right) - Math.max(west, left)) * Math.max(0, Math.min(north, top) - Math.max(south, bottom));
  const [a, b] = [view.map.project([west, south]), view.map.project([east, north])];
  return {
    cells: view.plan.levels.at(-1)?.cells ?? 0,
    share: overlap / Math.max((east - west) * (north - south), 1e-12),
    pixels: Math.abs((a.x - b.x) * (a.y - b.y)),
  };
}

export class Ground {
  atoms: Feature<AtomFacts>[] = [];
  arcs: ArcModel | null = null;
  owners = Owners.of([]);
  isLoading = false;
  private layer: Layer = null;
  private found: Arc[] = [];
  // The level whose borders the model holds.
  private arcsOf = '';
  private loaded = 0;
  // The zoom at which the service found too much in the view.
  private tooManyAt = -Infinity;
  readonly load = later(150, () => void this.loadNow());

  constructor(private readonly context: Context, private readonly onChange: () => void) {}

  get isNear(): boolean {
    const view = this.context.view();
    return view !== null && view.map.getZoom() > this.tooManyAt && isNearEnough(sightOf(view));
  }

  want(layer: Layer): void {
    this.layer = layer;
    this.load();
  }

  // Looks again at which cell lies in which: tiles come one by one.
  look(): Owners {
    const view = this.context.view();
    if (view) this.owners = Owners.from(view);
    return this.owners;
  }

  // Borders of the level on show and of those above it.
  adapt(): void {
    const { info, level } = this.context.store.get();
    if (this.arcsOf === level) return;
    this.arcsOf = level;
    const keys = info?.levels.map(({ key }) => key) ?? [];
    this.arcs = this.found.length ? ArcModel.from(this.found, keys.slice(0, keys.indexOf(level) + 1)) : null;
  }

  clear(): void {
    this.loaded += 1;
    this.atoms = [];
    this.found = [];
    this.arcs = null;
    this.arcsOf = '';
    this.context.view()?.clearData('atoms');
  }

  private async loadNow(): Promise<void> {
    const view = this.context.view();
    const { isEditing, plan, info } = this.context.store.get();
    if (!view || !isEditing || !info) return;
    const number = (this.loaded += 1);
    this.look();
    if (!this.layer || !this.isNear) {
      this.clear();
      return this.onChange();
    }
    this.isLoading = true;
    this.onChange();
    const { api } = this.context;
    try {
      if (this.layer === 'atoms') {
        const { features } = await api.atoms(plan, info.head, view.box());
        if (number !== this.loaded) return;
        this.atoms = features;
        view.setData('atoms', { type: 'FeatureCollection', features });
      } else {
        const arcs = await api.arcs(plan, info.head, view.box());
        if (number !== this.loaded) return;
        view.clearData('atoms');
        this.found = arcs;
        this.arcsOf = '';
        this.adapt();
      }
      this.tooManyAt = -Infinity;
    } catch (fault) {
      if (number !== this.loaded) return;
      this.clear();
      const isTooMany = fault instanceof ApiError && fault.status === 422;
      this.tooManyAt = isTooMany ? view.map.getZoom() : -Infinity;
      if (!isTooMany) this.context.tell(said(sentenceOf(fault)).first, true);
    } finally {
      if (number === this.loaded) this.isLoading = false;
    }
    this.onChange();
  }
}
