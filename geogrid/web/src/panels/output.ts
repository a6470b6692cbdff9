// The map on paper and as a file.
import { type Context, levelOf, shownVersion } from '../context';
import { byId, h } from '../dom';
import { t } from '../i18n';
import { pictureOf, savePng } from '../map/picture';
import { type PaperName, printSheet, type SheetWords } from '../map/sheet';
import { dayText } from '../review/time';
import { badgesOf, footOf, stateText } from './head';
import { legendRows, legendTable } from './legend';

function wordsOf(context: Context): SheetWords {
  const state = context.store.get();
  const level = levelOf(state);
  const { info } = state;
  const shown = shownVersion(state);
  return {
    title: [state.info?.district?.name || state.info?.name, level?.name].filter(Boolean).join(' · '),
    badges: badgesOf(context).map(([text]) => text),
    synthetic: info?.is_synthetic ? t('printSynthetic') : '',
    facts: [t('printVersion', { version: shown.id, state: stateText(shown.state) }), t('printDate', { day: dayText(new Date()) })],
    legend: legendRows(context),
    legendTitle: t('legend'),
    sourcesTitle: t('printSources'),
    sources: sourceLines(context),
    foot: footOf(context),
  };
}

function sourceLines(context: Context): string[] {
  const { info } = context.store.get();
  const named = (info?.sources ?? []).map(({ name, date, attribution }) => [name, date, attribution].filter(Boolean).join(' · '));
  const more = footOf(context).slice(1).filter((line) => !named.some((one) => one.includes(line)));
  return [...new Set([...named, ...more])].filter(Boolean);
}

async function picture(context: Context): Promise<HTMLCanvasElement | null> {
  const view = context.view();
  return view ? pictureOf(view.map, wordsOf(context)) : null;
}

const FORMATS = ['xlsx', 'gpkg', 'geojson', 'kml', 'shp'] as const;

// Files of the service: what may be public, of the version on show.
function downloads({ store, api }: Context): HTMLElement {
  const { plan, version, info } = store.get();
  const at = version === 'head' ? (info?.head ?? version) : version;
  return h('div', { class: 'gg-row gg-files' }, t('download'), ...FORMATS.map((format) =>
    h('a', { href: api.exportUrl(plan, at, format), download: true }, format.toUpperCase())));
}

export function outputs(context: Context): HTMLElement {
  const save = async () => {
    const canvas = await picture(context);
    if (canvas) await savePng(canvas, wordsOf(context).title);
  };
  const print = async (paper: PaperName) => {
    const map = context.view()?.map;
    if (map) await printSheet(map, wordsOf(context), legendTable(legendRows(context)), paper, byId('gg-print'));
  };
  return h('section', {}, h('h2', {}, t('output')), h('div', { class: 'gg-row' },
    h('button', { type: 'button', class: 'gg-button', id: 'gg-print-button', onclick: () => void print('a4') }, t('printA4')),
    h('button', { type: 'button', class: 'gg-button', id: 'gg-print-a3', onclick: () => void print('a3') }, t('printA3')),
    h('button', { type: 'button', class: 'gg-button', id: 'gg-png', onclick: () => void save() }, t('png'))), downloads(context));
}
