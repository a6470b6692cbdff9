// What the panel shows: the map's choices, the versions, data and jobs; visitors have the map alone.
import { type Context, type Tab, TABS } from '../context';
import { byId, choice } from '../dom';
import { t } from '../i18n';
import { may } from '../review/steps';

export function tabsOf({ store }: Context): Tab[] {
  const { me, info } = store.get();
  const isOpen: Record<Tab, boolean> = { map: true, versions: info !== null && may(me, 'seeVersions'), jobs: may(me, 'runJobs') };
  return TABS.filter((one) => isOpen[one]);
}

export function drawTabs(context: Context): void {
  const { store } = context;
  const all = tabsOf(context);
  const part = byId('gg-tabs');
  part.hidden = all.length < 2;
  part.setAttribute('aria-label', t('tabs'));
  part.replaceChildren(...all.map((one) =>
    choice('radio', 'tab', one, t(`tab_${one}`), store.get().tab === one, () => store.set({ tab: one }))));
  byId('gg-editor').hidden = store.get().tab !== 'map';
}
