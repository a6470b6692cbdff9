// Forms that start a job: divide, service circles, a plan file.
import type { Order, StoredFile } from '../api/office.types';
import { ask, type Context, sentenceOf } from '../context';
import { h } from '../dom';
import { t, type Word } from '../i18n';
import { section } from '../panels/parts';
import { refusalText } from '../review/sentences';
import { may } from '../review/steps';
import { follow } from './list';
import { orderOf } from './orders';
import { projectOf } from './project';

const open = new Set<string>();
const typed = new Map<string, string>();

export async function loadSchemes({ office, store }: Context): Promise<void> {
  store.set({ schemes: await ask(office.schemes()) });
}

export function drawForms(context: Context): HTMLElement {
  const { info, me } = context.store.get();
  const isMaker = may(me, 'makePlans');
  return section(t('newJob'), '',
    info && form(context, 'circles', [
      choose(context, 'circles', 'stations', 'role_stations', 'stations', t('choiceOfPlan')),
      text('circles', 'minutes', 'jobMinutes', (info.limits.length ? info.limits : [5, 15]).join(', ')),
    ]),
    isMaker ? form(context, 'divide', [
      text('divide', 'name', 'jobName', ''), scheme(context), like(context),
      choose(context, 'divide', 'limit', 'role_limit', 'limit', t('choiceNone')),
      choose(context, 'divide', 'households', 'role_households', 'households', t('choiceNone')),
      choose(context, 'divide', 'stations', 'role_stations', 'stations', t('choiceNone')),
    ]) : null,
    isMaker ? form(context, 'import', [
      text('import', 'name', 'jobName', ''),
      choose(context, 'import', 'file', 'jobFile', 'plan', t('choiceNone')),
    ]) : null);
}

function form(context: Context, kind: Order['kind'], fields: HTMLElement[]): HTMLElement {
  const fault = h('p', { class: 'gg-fault', role: 'alert', hidden: true });
  const go = h('button', { class: 'gg-button gg-strong' }, t('jobStart'));
  const say = (sentence: string) => {
    fault.textContent = sentence;
    fault.hidden = !sentence;
  };
  const act = async (event: Event) => {
    event.preventDefault();
    say('');
    const given = Object.fromEntries([...new FormData(made).entries()].map(([name, value]) => [name, String(value).trim()]));
    const order = orderOf(kind, given);
    if (!order) return say(t(kind === 'import' ? 'jobNeedsFile' : 'jobMinutesBad'));
    go.disabled = true;
    try {
      const { store, office } = context;
      const of = kind === 'circles' ? { plan: store.get().plan } : { project: projectOf(store.get()) };
      follow(context, await office.start(of, order));
      context.tell(t('jobStarted'));
    } catch (failed) {
      say(refusalText(sentenceOf(failed)));
    }
    go.disabled = false;
    return undefined;
  };
  const made = h('form', { onsubmit: (event: Event) => void act(event) }, ...fields, fault, go);
  const details = h('details', {
    class: 'gg-job-form', id: `gg-job-${kind}`, open: open.has(kind),
    ontoggle: () => { if (details.open) open.add(kind); else open.delete(kind); },
  }, h('summary', {}, t(`job_${kind}`)), made);
  return details;
}

// What was typed or chosen stays when the panel is drawn again.
function kept<T extends HTMLInputElement | HTMLSelectElement>(kind: string, field: T): T {
  const key = `${kind}.${field.name}`;
  const before = typed.get(key);
  if (before !== undefined) field.value = before;
  field.addEventListener('input', () => typed.set(key, field.value));
  return field;
}

function text(kind: string, name: string, word: Word, value: string): HTMLElement {
  return h('label', {}, t(word), kept(kind, h('input', { name, required: true, value, maxlength: 100, autocomplete: 'off' })));
}

function select(kind: string, name: string, word: Word, choices: readonly [string, string][]): HTMLElement {
  return h('label', {}, t(word), kept(kind, h('select', { name, class: 'gg-select' },
    ...choices.map(([value, label]) => h('option', { value }, label)))));
}

function choose({ store }: Context, kind: string, name: string, word: Word, role: string, none: string): HTMLElement {
  const { files } = store.get();
  const fits = files.state === 'there' ? files.value.filter((one: StoredFile) => one.role === role) : [];
  return select(kind, name, word, [['', none], ...fits.map((one): [string, string] => [one.id, one.name])]);
}

function scheme({ store }: Context): HTMLElement {
  const { schemes } = store.get();
  const all = schemes.state === 'there' ? schemes.value.map(({ key, title }): [string, string] => [key, title]) : [];
  return select('divide', 'scheme', 'jobScheme', all);
}

function like({ store }: Context): HTMLElement {
  const { projects } = store.get();
  const plans = projects.state === 'there' ? projects.value.flatMap((one) => one.plans) : [];
  return select('divide', 'like', 'jobLike', [['', t('choiceNone')], ...plans.map(({ id, name }): [string, string] => [id, name])]);
}
