// Households of the cell as dots: coloured by list, the list in hand larger, the chosen ringed.
import type { ExpressionSpecification } from 'maplibre-gl';
import type { MapView } from '../../map/view';
import type { ListDesk } from './desk';
import { placeOf, type Roll } from './roll';

export const DOTS = 'editor-homes';

const CHOSEN: ExpressionSpecification = ['boolean', ['feature-state', 'chosen'], false];
const growing = (size: ExpressionSpecification | number, base = 1): ExpressionSpecification =>
  ['interpolate', ['linear'], ['zoom'], 12, ['*', 0.5 * base, size], 17, ['*', base, size]];

export class Dots {
  private drawn: Roll | null = null;
  private list = '';
  private chosen: ReadonlySet<string> = new Set();
  private merging = '';

  constructor(private readonly view: MapView, private readonly isTouch: boolean) {
    const { map } = view;
    if (map.getSource(DOTS)) return;
    map.addSource(DOTS, { type: 'geojson', promoteId: 'id', data: { type: 'FeatureCollection', features: [] } });
    map.addLayer({ id: DOTS, type: 'circle', source: DOTS }, 'atoms-fill');
    this.paint([]);
  }

  show(lists: ListDesk, merging: readonly string[]): void {
    const { roll, chosen } = lists;
    if (this.drawn !== roll) this.draw(roll);
    for (const id of this.chosen) if (!chosen.has(id)) this.mark(id, false);
    for (const id of chosen) if (!this.chosen.has(id)) this.mark(id, true);
    this.chosen = chosen;
    const now = merging.length ? merging : [lists.code].filter(Boolean);
    if (now.join() !== this.merging || lists.code !== this.list) this.paint(now);
    this.merging = now.join();
    this.list = lists.code;
  }

  clear(): void {
    this.drawn = null;
    this.chosen = new Set();
    this.view.map.removeFeatureState({ source: DOTS });
    this.view.clearData(DOTS);
  }

  private draw(roll: Roll): void {
    this.drawn = roll;
    this.chosen = new Set();
    this.view.map.removeFeatureState({ source: DOTS });
    this.view.setData(DOTS, {
      type: 'FeatureCollection',
      features: roll.members.flatMap((one) => {
        const place = placeOf(one);
        const { household_id: id, list } = one.properties;
        return place ? [{
          type: 'Feature', properties: { id, list, colour: roll.colourOf(list) }, geometry: { type: 'Point', coordinates: place },
        }] : [];
      }),
    });
  }

  private mark(id: string, chosen: boolean): void {
    this.view.map.setFeatureState({ source: DOTS, id }, { chosen });
  }

  private paint(codes: readonly string[]): void {
    const { map } = this.view;
    const isNow: ExpressionSpecification = ['in', ['get', 'list'], ['literal', [...codes]]];
    const size: ExpressionSpecification = ['case', CHOSEN, 8, isNow, 7, 5];
    map.setPaintProperty(DOTS, 'circle-radius', growing(size, this.isTouch ? 1.3 : 1));
    map.setPaintProperty(DOTS, 'circle-color', ['get', 'colour']);
    map.setPaintProperty(DOTS, 'circle-opacity', codes.length ? ['case', ['any', isNow, CHOSEN], 1, 0.6] : 0.95);
    map.setPaintProperty(DOTS, 'circle-stroke-color', ['case', CHOSEN, '#ff8f00', isNow, '#14212b', '#ffffff']);
    map.setPaintProperty(DOTS, 'circle-stroke-width', ['case', CHOSEN, 4, isNow, 2, 1.2]);
  }
}
