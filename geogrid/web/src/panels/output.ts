// The map on paper and as a file.
import { type Context, levelOf } from '../context';
import { byId, h } from '../dom';
import { t } from '../i18n';
import { pictureOf, printPicture, savePng, type Words } from '../map/picture';
import { badgesOf, footOf } from './head';
import { legendRows } from './legend';

function wordsOf(context: Context): Words {
  const state = context.store.get();
  const level = levelOf(state);
  return {
    title: [state.info?.district?.name || state.info?.name, level?.name].filter(Boolean).join(' · '),
    badges: badgesOf(context).map(([text]) => text),
    legend: legendRows(context).map(({ text, colour }) => ({ text, colour })),
    foot: footOf(context),
  };
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
  const print = async () => {
    const canvas = await picture(context);
    if (canvas) await printPicture(canvas, byId('gg-print'));
  };
  return h('section', {}, h('h2', {}, t('output')), h('div', { class: 'gg-row' },
    h('button', { type: 'button', class: 'gg-button', id: 'gg-print-button', onclick: () => void print() }, t('print')),
    h('button', { type: 'button', class: 'gg-button', id: 'gg-png', onclick: () => void save() }, t('png'))), downloads(context));
}
