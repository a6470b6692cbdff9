// Files that are brought in: dropped or chosen, sent with progress, listed with what was noticed in them.
import type { FileRole, StoredFile } from '../api/office.types';
import { ask, type Context, LOADING, sentenceOf } from '../context';
import { h } from '../dom';
import { percent, t } from '../i18n';
import { askWhich } from '../panels/dialogs';
import { asked, section } from '../panels/parts';
import { refusalText } from '../review/sentences';
import { timeText } from '../review/time';
import { projectOf } from './project';

const ROLES: readonly FileRole[] = ['households', 'stations', 'limit', 'plan'];
let role: FileRole = 'households';
// Stays while the panel is drawn again around it.
const said = h('div', { class: 'gg-sent', role: 'status' });

export async function loadFiles({ office, store }: Context): Promise<void> {
  const project = projectOf(store.get());
  if (!project) return store.set({ files: { state: 'there', value: [] } });
  return store.set({ files: await ask(office.files(project)) });
}

export function drawUploads(context: Context): HTMLElement {
  const input = h('input', { type: 'file', id: 'gg-file', multiple: true, onchange: () => void sendAll(input.files) });
  const hint = h('p', { class: 'gg-hint' }, t(`uploadHint_${role}`));
  const sendAll = async (files: FileList | null) => {
    for (const file of files ?? []) await send(context, file);
    input.value = '';
  };
  const select = h('select', {
    class: 'gg-select', id: 'gg-file-role', 'aria-label': t('uploadRole'),
    onchange: () => {
      role = ROLES.find((one) => one === select.value) ?? role;
      hint.textContent = t(`uploadHint_${role}`);
    },
  }, ...ROLES.map((one) => h('option', { value: one }, t(`role_${one}`))));
  select.value = role;
  const drop = h('label', { class: 'gg-drop', id: 'gg-drop' }, h('span', {}, t('uploadDrop')), input);
  const over = (isOver: boolean) => (event: DragEvent) => {
    event.preventDefault();
    drop.classList.toggle('gg-over', isOver);
  };
  drop.addEventListener('dragover', over(true));
  drop.addEventListener('dragleave', over(false));
  drop.addEventListener('drop', (event) => {
    over(false)(event);
    void sendAll(event.dataTransfer?.files ?? null);
  });
  return section(t('upload'), '', select, hint, drop, said);
}

async function send(context: Context, file: File): Promise<void> {
  const project = projectOf(context.store.get());
  const words = h('span', {}, t('uploading', { name: file.name, n: percent(0) }));
  const bar = h('progress', { max: 1, value: 0 });
  const line = h('div', { class: 'gg-sending' }, words, bar);
  said.append(line);
  try {
    const stored = await context.office.upload(project, role, file, (share) => {
      bar.value = share;
      words.textContent = share < 1 ? t('uploading', { name: file.name, n: percent(share) }) : t('uploadReading', { name: file.name });
    });
    line.remove();
    context.tell(t('uploaded', { name: stored.name, n: stored.rows ?? '—' }));
    await loadFiles(context);
  } catch (fault) {
    bar.remove();
    words.className = 'gg-fault';
    words.textContent = t('uploadFailed', { name: file.name, why: refusalText(sentenceOf(fault)) });
  }
}

export function drawFiles(context: Context): HTMLElement {
  const { files } = context.store.get();
  const again = () => {
    context.store.set({ files: LOADING });
    void loadFiles(context);
  };
  return section(t('files'), '', asked(files, (all) => (all.length
    ? h('ul', { class: 'gg-files-list', id: 'gg-files' }, ...all.map((one) => fileRow(context, one)))
    : h('p', { class: 'gg-none' }, t('filesNone'))), again));
}

function fileRow(context: Context, file: StoredFile): HTMLLIElement {
  const remove = async () => {
    const sure = await askWhich(t('fileRemove'), t('fileRemoveAsk', { name: file.name }), [], [t('fileRemove'), t('cancel')]);
    if (sure !== 0) return;
    const done = await ask(context.office.removeFile(file.id));
    if (done.state === 'failed') return context.tell(refusalText(done.why), true);
    context.tell(t('fileRemoved'));
    return loadFiles(context);
  };
  const facts = [file.rows === null ? '' : t('filesRows', { n: file.rows }), file.owner_name, timeText(file.created_at)];
  return h('li', {},
    h('div', { class: 'gg-row' }, h('span', { class: 'gg-badge' }, file.role_zh || file.role), h('b', {}, file.name),
      h('button', { type: 'button', class: 'gg-small gg-end', onclick: () => void remove() }, t('fileRemove'))),
    h('div', { class: 'gg-by' }, facts.filter(Boolean).join(' · ')),
    ...file.notes.map((note) => h('p', { class: 'gg-note' }, refusalText(note))));
}
