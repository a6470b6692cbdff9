// What is shown as the address of the page, so that a link shows the same to whoever opens it.
export const FILLS = ['colour', 'band', 'unserved'] as const;
export const TEXTS = ['name', 'code', 'households', 'none'] as const;
export const LANGUAGES = ['zh', 'en'] as const;
export type Fill = (typeof FILLS)[number];
export type Text = (typeof TEXTS)[number];
export type Language = (typeof LANGUAGES)[number];

export interface Shown {
  plan: string;
  version: string;
  level: string;
  fill: Fill;
  text: Text;
  minutes: number;
  language: Language;
  cell: string;
  view: [number, number, number] | null;
}

export const START: Shown = {
  plan: '', version: 'head', level: '', fill: 'colour', text: 'name', minutes: 15, language: 'zh',
  cell: '', view: null,
};

const oneOf = <T extends string>(all: readonly T[], value: string | null, other: T): T =>
  all.find((one) => one === value) ?? other;

export function readHash(hash: string): Shown {
  const given = new URLSearchParams(hash.replace(/^#/, ''));
  const minutes = Number(given.get('minutes'));
  return {
    plan: given.get('plan') ?? START.plan,
    version: given.get('version') || START.version,
    level: given.get('level') ?? START.level,
    fill: oneOf(FILLS, given.get('fill'), START.fill),
    text: oneOf(TEXTS, given.get('text'), START.text),
    minutes: Number.isFinite(minutes) && minutes > 0 ? minutes : START.minutes,
    language: oneOf(LANGUAGES, given.get('language'), START.language),
    cell: given.get('cell') ?? START.cell,
    view: readView(given.get('view')),
  };
}

export function writeHash(shown: Shown): string {
  const parts = new URLSearchParams();
  for (const key of ['plan', 'version', 'level', 'fill', 'text', 'minutes', 'language', 'cell'] as const) {
    if (shown[key] !== START[key]) parts.set(key, String(shown[key]));
  }
  if (shown.view) {
    const [zoom, lat, lon] = shown.view;
    parts.set('view', `${zoom.toFixed(2)}/${lat.toFixed(5)}/${lon.toFixed(5)}`);
  }
  return `#${parts.toString().replaceAll('%2F', '/')}`;
}

function readView(text: string | null): Shown['view'] {
  if (!text) return null;
  const [zoom, lat, lon, ...rest] = text.split('/').map(Number);
  if (rest.length || zoom === undefined || lat === undefined || lon === undefined) return null;
  const isPlace = Math.abs(lat) <= 90 && Math.abs(lon) <= 180 && zoom >= 0 && zoom <= 24;
  return isPlace ? [zoom, lat, lon] : null;
}
