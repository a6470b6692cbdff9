// Who did what: the log, newest first, and whether anybody tampered with it.
import { ApiError } from '../api/client';
import type { AuditEntry, AuditPage } from '../api/office.types';
import { ask, type Context } from '../context';
import { h } from '../dom';
import { currentLanguage, t } from '../i18n';
import { openDialog } from '../panels/dialogs';
import { joined } from '../review/pages';
import { refusalText } from '../review/sentences';
import { timeText } from '../review/time';

const PAGE = 50;

const ACTIONS: Record<string, string> = {
  commit: '保存版本', supersede: '被替代', 'add file': '上传文件', 'remove file': '删除文件', 'change state': '改变状态',
  'create account': '新建账号', 'create branch': '新建分支', 'create plan': '新建方案', 'create project': '新建项目',
  'set roles': '设置角色', 'set password': '修改密码', 'set active': '启用或停用', 'set locks': '锁定', 'add key': '新建密钥',
  'revoke key': '作废密钥', 'create login_session': '登录', 'create api_key': '新建密钥',
};

export function actionText(action: string): string {
  return currentLanguage() === 'zh' ? (ACTIONS[action] ?? action) : action;
}

const MOST_LETTERS = 20;
const short = (text: string): string => (text.length > MOST_LETTERS ? `${text.slice(0, MOST_LETTERS - 8)}…` : text);

// Details as short pairs: nothing that is not of a plain kind.
export function detailText(details: unknown): string {
  if (!details || typeof details !== 'object') return '';
  return Object.entries(details)
    .filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value) && value !== '')
    .map(([name, value]) => `${name}: ${short(String(value))}`).join(' · ');
}

export function openAudit(context: Context): void {
  const whole = h('span', { class: 'gg-badge', hidden: true });
  const rows = h('tbody', {});
  const words = h('p', { class: 'gg-wait' }, t('loading'));
  const more = h('button', { type: 'button', class: 'gg-button', id: 'gg-audit-more', hidden: true, onclick: () => void load() }, t('auditMore'));
  let known: readonly AuditEntry[] = [];
  const load = async () => {
    const found = await ask(pageOf(context, known.at(-1)?.number));
    if (found.state === 'failed') {
      words.className = 'gg-fault';
      words.textContent = refusalText(found.why);
      more.textContent = t('retry');
      more.hidden = false;
      return;
    }
    if (found.state !== 'there') return;
    const { entries, is_whole: isWhole } = found.value;
    const page = joined(known, entries, PAGE, ({ number }) => String(number));
    known = page.rows;
    rows.replaceChildren(...known.map(row));
    whole.textContent = t(isWhole ? 'auditWhole' : 'auditBroken');
    whole.className = `gg-badge ${isWhole ? 'good' : 'bad'}`;
    whole.hidden = false;
    words.className = 'gg-none';
    words.textContent = known.length ? '' : t('auditNone');
    more.textContent = t('auditMore');
    more.hidden = !page.hasMore;
  };
  const dialog = h('dialog', { class: 'gg-wide', id: 'gg-audit-dialog' },
    h('h2', {}, t('audit'), ' ', whole),
    h('div', { class: 'gg-scroll' }, h('table', { class: 'gg-table' },
      h('thead', {}, h('tr', {}, ...[t('auditAt'), t('auditWho'), t('auditWhat'), t('auditSubject'), ''].map((one) => h('th', {}, one)))), rows)),
    words,
    h('div', { class: 'gg-row' }, more, h('button', { type: 'button', class: 'gg-button', onclick: () => dialog.close() }, t('close'))));
  openDialog(dialog);
  void load();
}

// Whoever looks after an area sees the log of the plan on show, others that of the whole store.
async function pageOf({ office, store }: Context, before: number | undefined): Promise<AuditPage> {
  try {
    return await office.audit(PAGE, before);
  } catch (fault) {
    const { plan } = store.get();
    if (!(fault instanceof ApiError) || fault.status !== 403 || !plan) throw fault;
    return office.audit(PAGE, before, plan);
  }
}

function row(entry: AuditEntry): HTMLTableRowElement {
  return h('tr', {}, ...[timeText(entry.at), entry.actor_name, actionText(entry.action), entry.subject, detailText(entry.details)].map((text) => h('td', {}, text)));
}
