// Two maps that move as one.
import type { Map as GlMap } from 'maplibre-gl';

export function together(one: GlMap, two: GlMap): void {
  let isFollowing = false;
  const follow = (from: GlMap, to: GlMap) => () => {
    if (isFollowing) return;
    isFollowing = true;
    to.jumpTo({ center: from.getCenter(), zoom: from.getZoom() });
    isFollowing = false;
  };
  one.on('move', follow(one, two));
  two.on('move', follow(two, one));
}
