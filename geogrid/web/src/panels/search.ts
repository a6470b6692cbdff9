// Search by code, by name, or by a place in degrees.
import { ask, type Context } from '../context';
import { byId, h, later, rowButton } from '../dom';
import { parsePlace } from '../geo';
import { t } from '../i18n';

const MOST_HITS = 12;

export function drawSearch(context: Context): void {
  const { api, store } = context;
  const input = h('input', {
    id: 'gg-search', type: 'search', autocomplete: 'off', placeholder: t('search'), 'aria-label': t('search'),
  });
  const list = h('ul', { id: 'gg-hits', class: 'gg-list gg-hits', hidden: true });
  let asked = 0;
  let first: (() => void) | null = null;

  const show = (...rows: HTMLLIElement[]) => {
    list.replaceChildren(...rows);
    list.hidden = !input.value.trim();
  };
  const say = (text: string) => show(h('li', { class: 'gg-none' }, text));
  const go = (act: () => void) => () => {
    list.hidden = true;
    act();
  };

  const look = async () => {
    const number = (asked += 1);
    const text = input.value.trim();
    first = null;
    if (!text) return show();
    const place = parsePlace(text);
    if (place) {
      first = go(() => void context.pickPlace(...place));
      return show(rowButton(`${place[0]}, ${place[1]}`, t('searchPlace'), first));
    }
    const { plan, version, info } = store.get();
    const answer = await ask(api.search(plan, version, text));
    if (number !== asked) return undefined;
    if (answer.state !== 'there') return say(answer.state === 'failed' ? answer.why : t('loading'));
    const names = new Map(info?.levels.map(({ key, name }) => [key, name]));
    const rows = answer.value.slice(0, MOST_HITS).map((hit) => {
      const act = go(() => void context.pickCell(hit.code, { zoom: true, level: hit.level }));
      first ??= act;
      return rowButton(hit.name, `${names.get(hit.level) ?? hit.level} ${hit.code}`, act);
    });
    return rows.length ? show(...rows) : say(t('searchNone'));
  };

  const soon = later(180, () => void look());
  input.addEventListener('input', () => {
    if (input.value.trim() && !parsePlace(input.value)) say(t('loading'));
    soon();
  });
  input.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') list.hidden = true;
    if (event.key === 'Enter') void look().then(() => first?.());
  });
  byId('gg-search-part').replaceChildren(input, list);
}
