// Which cells lie in which, and what is known of them, from the tiles that are on the map.
import type { MapView } from '../map/view';

export interface Known {
  code: string;
  name: string;
  kind: string;
  level: string;
  parent: string;
  households: number | null;
}

export class Owners {
  private constructor(private readonly cells: ReadonlyMap<string, Known>) {}

  static of(cells: readonly Known[]): Owners {
    return new Owners(new Map(cells.map((one) => [one.code, one])));
  }

  static from(view: MapView): Owners {
    return Owners.of(view.plan.levels.flatMap(({ key }) =>
      view.map.querySourceFeatures('cells', { sourceLayer: key }).map(({ properties: of }): Known => ({
        code: String(of['code'] ?? ''),
        name: String(of['name'] ?? ''),
        kind: String(of['kind'] ?? ''),
        level: key,
        parent: String(of['parent'] ?? ''),
        households: typeof of['households'] === 'number' ? of['households'] : null,
      }))));
  }

  get(code: string): Known | null {
    return this.cells.get(code) ?? null;
  }

  // The cell of a level that a cell is or lies in; "" where the tiles do not tell.
  at(level: string, code: string): string {
    let here = this.cells.get(code);
    while (here && here.level !== level) here = this.cells.get(here.parent);
    return here?.code ?? '';
  }
}
