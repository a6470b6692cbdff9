// The map: what is drawn of the state, and what the pointer says back.
import {
  Map as GlMap, NavigationControl, ScaleControl, setWorkerUrl,
  type FilterSpecification, type GeoJSONSource, type MapMouseEvent, type VectorTileSource,
} from 'maplibre-gl';
import type { Box, Features, LonLat, Plan, Shape } from '../api/types';
import { later } from '../dom';
import type { Fill, Text } from '../url';
import { circleLook, extendColours, stripes } from './colours';
import { labelsOf, neighboursOf, type Piece } from './labels';
import { FIRST_OF_CELLS, FONTS, fillColour, fillOpacity, hiddenFilter, styleOf, type TileAddresses } from './style';
import { type Ground, groundLayers } from './tianditu';

export interface MapEvents {
  onCell(code: string, at: LonLat): void;
  onStation(properties: Record<string, unknown>): void;
  onMove(view: [number, number, number]): void;
  onFilled(level: string): void;
  onFault(sentence: string): void;
}

const METRES_A_PIXEL_0 = 78_271.517;
const EMPTY = { type: 'FeatureCollection', features: [] } as const;
const byCode = (codes: readonly string[]): FilterSpecification =>
  ['in', ['get', 'code'], ['literal', [...codes]]] as unknown as FilterSpecification;
const PLAIN = '#e6eaee';

export class MapView {
  readonly map: GlMap;
  // While an editor's tool works, a click is not a question about a cell.
  isBusy = false;
  drawnLabels = 0;
  // One change of the page touches much at once, and each tile that comes says so: letters wait.
  private readonly letterSoon = later(80, () => this.letter());
  private level = 0;
  // Tiles far out leave the finest levels away: then the finest one that is there is filled.
  private filled = 0;
  private fill: Fill = 'colour';
  private text: Text = 'name';
  private minutes = 15;
  // Where changes are told by colour, cells have none of their own.
  private isPlain = false;
  private readonly shown = new Set<string>(['base', 'stations', 'defects']);
  private readonly colours = new Map<string, number>();
  private readonly pen = document.createElement('canvas').getContext('2d');

  constructor(
    container: HTMLElement, readonly plan: Plan, tiles: TileAddresses, view: [number, number, number] | null,
    private readonly events: MapEvents,
  ) {
    setWorkerUrl(new URL('worker.mjs', import.meta.url).href);
    const [west, south, east, north] = plan.bounds;
    this.map = new GlMap({
      container,
      style: styleOf(plan.levels, plan.limits, tiles),
      attributionControl: false,
      localIdeographFontFamily: FONTS.join(','),
      maxZoom: 20,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      fadeDuration: 0,
      ...(view
        ? { zoom: view[0], center: [view[2], view[1]] as LonLat }
        : { bounds: [west, south, east, north] as Box, fitBoundsOptions: { padding: 24 } }),
    });
    this.map.touchZoomRotate.disableRotation();
    this.map.addControl(new NavigationControl({ showCompass: false }), 'top-left');
    this.map.addControl(new ScaleControl({ maxWidth: 140 }), 'bottom-left');
    this.listen();
  }

  get filledLevel(): string {
    return this.plan.levels[this.filled]?.key ?? '';
  }

  box(): Box {
    const bounds = this.map.getBounds();
    return [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()];
  }

  // What is shown can be set as soon as the style is there: nobody waits for tiles to ask for more.
  get ready(): Promise<void> {
    return new Promise((resolve) => {
      if (this.map.getLayer('ground')) resolve();
      else this.map.once('style.load', () => resolve());
    });
  }

  showLevel(level: number): void {
    this.level = level;
    this.filled = level;
    this.events.onFilled(this.filledLevel);
    for (const [depth, { key }] of this.plan.levels.entries()) {
      this.visible(`line-${key}`, depth <= level);
      this.visible(`picked-${key}`, depth === level);
    }
    this.paint();
  }

  setFill(fill: Fill, minutes: number): void {
    this.fill = fill;
    this.minutes = minutes;
    this.paint();
  }

  setPlain(isPlain: boolean): void {
    this.isPlain = isPlain;
    this.paint();
  }

  setText(text: Text): void {
    this.text = text;
    this.letterSoon();
  }

  // Draws map pictures of another service, or none; until then nobody is asked.
  setGround(ground: Ground | null, key: string): void {
    const { map } = this;
    for (const { id } of map.getStyle().layers) if (id.startsWith('ground-')) map.removeLayer(id);
    for (const id of Object.keys(map.getStyle().sources)) if (id.startsWith('ground-')) map.removeSource(id);
    if (!ground) return;
    for (const { id, source } of groundLayers(ground, key)) {
      map.addSource(id, source);
      map.addLayer({ id, type: 'raster', source: id }, FIRST_OF_CELLS(this.plan.levels));
    }
  }

  isShown(name: string): boolean {
    return this.shown.has(name);
  }

  toggle(name: string, on: boolean): void {
    if (on) this.shown.add(name);
    else this.shown.delete(name);
    for (const { id } of this.map.getStyle().layers) {
      if (id === name || id.startsWith(`${name}-`)) this.visible(id, on);
    }
    this.paint();
  }

  pick(codes: readonly string[]): void {
    for (const { key } of this.plan.levels) this.map.setFilter(`picked-${key}`, byCode(codes));
  }

  setData(name: string, data: Features<unknown> | GeoJSON.FeatureCollection): void {
    const source = this.map.getSource<GeoJSONSource>(name);
    void source?.setData(data as GeoJSON.FeatureCollection);
  }

  clearData(name: string): void {
    this.setData(name, EMPTY as unknown as GeoJSON.FeatureCollection);
  }

  setTiles(tiles: TileAddresses): void {
    this.map.getSource<VectorTileSource>('cells')?.setTiles([tiles.cells]);
    this.map.once('idle', () => this.letter());
  }

  goTo(box: Box, bottom = 0): void {
    const sides = { top: 40, left: 40, right: 40, bottom: 40 + bottom };
    this.map.fitBounds(box, { padding: sides, maxZoom: 18, animate: false });
  }

  // Code of the cell of the level on show under a place of the screen.
  cellAt(point: { x: number; y: number }): string | null {
    const found = this.map.queryRenderedFeatures([point.x, point.y], { layers: [this.fillId()] })[0];
    return found ? String(found.properties['code']) : null;
  }

  private fillId(): string {
    return `fill-${this.plan.levels[this.filled]?.key ?? ''}`;
  }

  private listen(): void {
    const { map, events } = this;
    map.on('style.load', () => {
      const image = stripes();
      if (!map.hasImage('stripes')) map.addImage('stripes', image, { pixelRatio: 2 });
    });
    const letter = this.letterSoon;
    map.on('moveend', () => {
      const { lng, lat } = map.getCenter();
      events.onMove([map.getZoom(), lat, lng]);
      letter();
    });
    map.on('sourcedata', (event) => {
      if (event.sourceId === 'cells' && event.isSourceLoaded) letter();
    });
    map.on('resize', letter);
    map.on('click', (event) => this.onClick(event));
    map.on('error', (event) => {
      const fault = event.error as { status?: number; message?: string } | undefined;
      // A tile that was no longer wanted is no fault.
      if (fault?.message && !/abort/i.test(fault.message)) events.onFault(fault.message);
    });
  }

  private onClick(event: MapMouseEvent): void {
    if (this.isBusy) return;
    const { x, y } = event.point;
    const around: [[number, number], [number, number]] = [[x - 8, y - 8], [x + 8, y + 8]];
    const station = this.map.queryRenderedFeatures(around, { layers: ['stations'] })[0];
    if (station) {
      this.events.onStation(station.properties);
      return;
    }
    const code = this.cellAt(event.point);
    if (code !== null) this.events.onCell(code, [event.lngLat.lng, event.lngLat.lat]);
  }

  private visible(id: string, on: boolean): void {
    this.map.setLayoutProperty(id, 'visibility', on ? 'visible' : 'none');
  }

  private paint(): void {
    const hasCircles = [...this.shown].some((name) => name.startsWith('circles-'));
    for (const [depth, { key }] of this.plan.levels.entries()) {
      const isOn = depth === this.filled;
      this.visible(`fill-${key}`, isOn);
      this.map.setPaintProperty(`fill-${key}`, 'fill-color', this.isPlain ? PLAIN : fillColour(this.fill, this.minutes));
      this.map.setPaintProperty(`fill-${key}`, 'fill-opacity', fillOpacity(this.fill, hasCircles));
      this.map.setFilter(`hidden-${key}`, hiddenFilter(this.fill, this.minutes));
      this.visible(`hidden-${key}`, isOn && this.fill !== 'colour' && !this.isPlain);
    }
    // Over shares and bands a filled circle would mix two meanings in one colour.
    for (const [at, minutes] of this.plan.limits.entries()) {
      this.map.setPaintProperty(`circles-${minutes}-fill`, 'fill-opacity', this.fill === 'colour' ? circleLook(at).opacity : 0);
    }
    this.letterSoon();
  }

  private state(code: string, state: Record<string, unknown>): void {
    for (const { key } of this.plan.levels) {
      this.map.setFeatureState({ source: 'cells', sourceLayer: key, id: code }, state);
    }
  }

  private pieces(level: number): Piece[] {
    const sourceLayer = this.plan.levels[level]?.key ?? '';
    return this.map.querySourceFeatures('cells', { sourceLayer }).map(({ properties, geometry }) => ({
      code: String(properties['code'] ?? ''),
      name: String(properties['name'] ?? ''),
      parent: String(properties['parent'] ?? ''),
      households: countText(properties),
      shape: geometry as Shape,
    }));
  }

  // Fills the finest level that the tiles hold, and returns what they hold of it.
  private fillFinest(): Piece[] {
    for (let level = this.level; level >= 0; level -= 1) {
      const pieces = this.pieces(level);
      if (!pieces.length && level > 0) continue;
      if (pieces.length && level !== this.filled) {
        this.filled = level;
        for (const [depth, { key }] of this.plan.levels.entries()) {
          this.visible(`fill-${key}`, depth === level);
          this.visible(`hidden-${key}`, depth === level && this.fill !== 'colour' && !this.isPlain);
        }
        this.events.onFilled(this.plan.levels[level]?.key ?? '');
      }
      return pieces;
    }
    return [];
  }

  private letter(): void {
    if (!this.map.getSource('labels')) return;
    const pieces = this.fillFinest();
    const metres = (METRES_A_PIXEL_0 * Math.cos((this.map.getCenter().lat * Math.PI) / 180)) / 2 ** this.map.getZoom();
    const labels = labelsOf(pieces, this.text, this.filled, metres, (text, size) => this.measure(text, size));
    this.drawnLabels = labels.length;
    this.setData('labels', {
      type: 'FeatureCollection',
      features: labels.map(({ at, ...properties }) => ({
        type: 'Feature', properties, geometry: { type: 'Point', coordinates: at },
      })),
    });
    if (this.fill !== 'colour' || this.isPlain) return;
    for (const [code, colour] of extendColours(this.colours, neighboursOf(pieces))) {
      this.colours.set(code, colour);
      this.state(code, { colour });
    }
  }

  private measure(text: string, size: number): number {
    if (!this.pen) return text.length * size;
    this.pen.font = `${size}px '${FONTS.join("','")}'`;
    return this.pen.measureText(text).width;
  }
}

function countText(properties: Record<string, unknown>): string {
  if (typeof properties['households_text'] === 'string') return properties['households_text'];
  if (typeof properties['households'] === 'number') return String(properties['households']);
  return properties['hidden'] === 1 ? '<10' : '—';
}
