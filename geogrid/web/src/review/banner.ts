// Says that an old version is on the map, so that nobody takes it for the newest.
import type { Context } from '../context';
import { byId, h } from '../dom';
import { t } from '../i18n';
import { stateText } from '../panels/head';
import { versionName } from './history';

export function drawBanner(context: Context): void {
  const { version, versions, info } = context.store.get();
  const isOld = version !== 'head' && info !== null && version !== info.head;
  const banner = byId('gg-banner');
  banner.hidden = !isOld;
  if (!isOld) return banner.replaceChildren();
  const known = versions.state === 'there' ? versions.value.rows.find(({ id }) => id === version) : undefined;
  const name = known ? versionName(known) : version;
  return banner.replaceChildren(
    h('span', {}, t('bannerOld', { name, state: known ? stateText(known.state) : '…' })),
    h('button', { type: 'button', class: 'gg-small', id: 'gg-banner-back', onclick: () => void context.showVersion('head') }, t('bannerBack')));
}
