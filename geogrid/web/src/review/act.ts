// Brings a version into another state, after a question, and says what became of it.
import type { Advance } from '../api/office';
import type { Version } from '../api/types';
import { type Context, sentenceOf } from '../context';
import { h } from '../dom';
import { t } from '../i18n';
import { openDialog } from '../panels/dialogs';
import { refusalText } from './sentences';
import type { Step } from './steps';
import { dayText } from './time';

export function askStep(context: Context, version: Version, step: Step): void {
  const from = h('input', { type: 'date', name: 'from', required: true, value: dayText(new Date()) });
  const to = h('input', { type: 'date', name: 'to' });
  const supersede = h('input', { type: 'checkbox', name: 'supersede' });
  const fault = h('p', { class: 'gg-fault', role: 'alert', hidden: true });
  const go = h('button', { class: 'gg-button gg-strong' }, t(step.word));
  const wanted = (): Advance => ({
    to: step.to,
    ...(step.needsDates ? {
      effective_from: from.value, supersede: supersede.checked, ...(to.value ? { effective_to: to.value } : {}),
    } : {}),
  });
  const act = async (event: Event) => {
    event.preventDefault();
    go.disabled = true;
    try {
      const { notes = [] } = await context.office.advance(context.store.get().plan, version.id, wanted());
      dialog.close();
      context.tell([t(step.done, { from: from.value }), ...notes.map(refusalText)].join(' '), notes.length > 0);
      await context.reload();
    } catch (failed) {
      fault.textContent = t('notAllowed', { why: refusalText(sentenceOf(failed)) });
      fault.hidden = false;
      go.disabled = false;
    }
  };
  const dates = [
    h('label', {}, t('effectiveFrom'), from), h('label', {}, t('effectiveTo'), to),
    h('label', { class: 'gg-tick' }, supersede, t('supersede')),
  ];
  const dialog = h('dialog', { id: 'gg-step-dialog' },
    h('h2', {}, t(step.word), h('small', {}, ` ${t('versionNumber', { n: version.number })}`)),
    h('p', {}, t(step.ask)),
    h('form', { onsubmit: (event: Event) => void act(event) },
      ...(step.needsDates ? dates : []), fault,
      h('div', { class: 'gg-row' }, go,
        h('button', { type: 'button', class: 'gg-button', onclick: () => dialog.close() }, t('cancel')))));
  openDialog(dialog);
}
