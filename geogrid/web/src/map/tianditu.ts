// 天地图 with the key of whoever runs the service; nothing is asked of it before somebody wants it.
import type { RasterSourceSpecification } from 'maplibre-gl';

export type Ground = 'vec' | 'img';
// A picture and its lettering.
const LAYERS: Record<Ground, readonly string[]> = { vec: ['vec', 'cva'], img: ['img', 'cia'] };
const HOSTS = [0, 1, 2, 3, 4, 5, 6, 7];
export const TIANDITU = '天地图';

const address = (host: number, layer: string, key: string): string =>
  `https://t${host}.tianditu.gov.cn/${layer}_w/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&LAYER=${layer}`
  + `&STYLE=default&TILEMATRIXSET=w&FORMAT=tiles&TILEMATRIX={z}&TILEROW={y}&TILECOL={x}&tk=${encodeURIComponent(key)}`;

export function groundLayers(ground: Ground, key: string): { id: string; source: RasterSourceSpecification }[] {
  return LAYERS[ground].map((layer) => ({
    id: `ground-${layer}`,
    source: {
      type: 'raster', tileSize: 256, minzoom: 1, maxzoom: 18, attribution: TIANDITU,
      tiles: HOSTS.map((host) => address(host, layer, key)),
    },
  }));
}

// Which of the two is wanted, of the layers that are switched on.
export function groundOf(layers: readonly string[]): Ground | null {
  if (layers.includes('tianditu_img')) return 'img';
  return layers.includes('tianditu_vec') ? 'vec' : null;
}

export const GROUNDS = ['tianditu_vec', 'tianditu_img'];

// Switches a layer; one picture lies under the cells, not two.
export function switched(shown: readonly string[], name: string, on: boolean): string[] {
  const others = GROUNDS.includes(name) ? GROUNDS : [name];
  const left = shown.filter((one) => !others.includes(one));
  return on ? [...left, name] : left;
}
