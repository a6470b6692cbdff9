// Colours and their meanings, the same as on printed and offline maps.
import type { Word } from '../i18n';

export const PALETTE = ['#5aa89a', '#efa64f', '#8f86cc', '#93b848', '#df7566', '#5b9bd0', '#d98cbc', '#c9ab3c'];
export const BORDERS = [
  { color: '#6d1f3a', width: 3.2 },
  { color: '#2f3f4c', width: 2.2 },
  { color: '#4c5c69', width: 1.4 },
  { color: '#6c7b87', width: 1 },
] as const;
export const NO_COUNT = '#c3c9cd';
export const KEPT_BACK = { paper: '#f4f1e8', stripe: '#7d6f8f' };
export const BAND_COLOURS = { below: '#5d9bd3', in: '#86bd83', above: '#dd6b53' } as const;
export const PICKED = '#0b57a4';
export const DEFECT = { line: '#d4005a', fill: '#ff2f87' };
export const STATION = '#c62828';
export const CIRCLES = [
  { line: '#0b3fb3', fill: '#2f6bff', opacity: 0.3, dash: null },
  { line: '#c75200', fill: '#ff9a3d', opacity: 0.16, dash: [3, 2] },
] as const;

export function circleLook(at: number): (typeof CIRCLES)[number] {
  return CIRCLES[Math.min(at, CIRCLES.length - 1)] ?? CIRCLES[0];
}

export interface Step {
  top: number;
  colour: string;
  text: string | Word;
}

export const UNSERVED_STEPS: readonly Step[] = [
  { top: 0, colour: '#e4efe6', text: '0%' },
  { top: 0.1, colour: '#fde6c8', text: 'upTo10' },
  { top: 0.3, colour: '#f8b581', text: '10%–30%' },
  { top: 0.6, colour: '#e5754f', text: '30%–60%' },
  { top: 1, colour: '#a92a2a', text: 'above60' },
];

export function borderOf(depth: number): (typeof BORDERS)[number] {
  return BORDERS[Math.min(depth, BORDERS.length - 1)] ?? BORDERS[0];
}

export function shareColour(share: number): string {
  return (UNSERVED_STEPS.find(({ top }) => share <= top) ?? UNSERVED_STEPS.at(-1))?.colour ?? NO_COUNT;
}

// Sixteen pixels that repeat: stripes for a number that is kept back.
export function stripes(): { width: number; height: number; data: Uint8ClampedArray } {
  const side = 16;
  const data = new Uint8ClampedArray(side * side * 4);
  for (let y = 0; y < side; y += 1) {
    for (let x = 0; x < side; x += 1) {
      const colour = (x + y) % 8 < 2 ? KEPT_BACK.stripe : KEPT_BACK.paper;
      const number = Number.parseInt(colour.slice(1), 16);
      data.set([number >> 16, (number >> 8) & 255, number & 255, 255], (y * side + x) * 4);
    }
  }
  return { width: side, height: side, data };
}

// Colours for cells that share a border. What has a colour keeps it, so that panning changes none;
// of the colours left the one used least is taken.
export function extendColours(
  known: ReadonlyMap<string, number>, neighbours: ReadonlyMap<string, ReadonlySet<string>>,
): Map<string, number> {
  const found = new Map<string, number>();
  const used = PALETTE.map((_, at) => [...known.values()].filter((one) => one === at).length);
  const order = [...neighbours].sort(([a, m], [b, n]) => n.size - m.size || (a < b ? -1 : 1));
  for (const [code, beside] of order) {
    if (known.has(code)) continue;
    const taken = new Set([...beside].map((other) => known.get(other) ?? found.get(other)));
    const free = used.map((count, at) => ({ count, at })).filter(({ at }) => !taken.has(at));
    const best = free.sort((a, b) => a.count - b.count || a.at - b.at)[0]?.at ?? 0;
    found.set(code, best);
    used[best] = (used[best] ?? 0) + 1;
  }
  return found;
}
