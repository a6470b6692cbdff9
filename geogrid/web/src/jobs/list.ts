// The jobs: how far each is, how to stop it, and what came of it.
import type { Job } from '../api/office.types';
import { ApiError } from '../api/client';
import { ask, type Context, LOADING, sentenceOf } from '../context';
import { h } from '../dom';
import { percent, t } from '../i18n';
import { asked, section } from '../panels/parts';
import { joined, type Paged } from '../review/pages';
import { refusalText } from '../review/sentences';
import { timeText } from '../review/time';
import { followJob } from './events';

const PAGE = 30;
// Signed out, no longer allowed, or forgotten: asking again changes nothing.
const FOR_GOOD = [401, 403, 404];

const followed = new Map<string, () => void>();

export async function loadJobs(context: Context): Promise<void> {
  const found = await ask(context.office.jobs(PAGE));
  if (found.state !== 'there') return context.store.set({ jobs: found });
  return show(context, [], found.value);
}

async function loadOlder(context: Context): Promise<void> {
  const { office, store } = context;
  const found = await ask(office.jobs(PAGE, rowsOf(context).at(-1)?.id));
  if (found.state === 'failed') return context.tell(refusalText(found.why), true);
  // What has begun or moved on meanwhile is in the list that is there now.
  if (found.state === 'there' && store.get().jobs.state === 'there') show(context, rowsOf(context), found.value);
  return undefined;
}

function rowsOf({ store }: Context): readonly Job[] {
  const { jobs } = store.get();
  return jobs.state === 'there' ? jobs.value.rows : [];
}

function show(context: Context, before: readonly Job[], page: readonly Job[]): void {
  context.store.set({ jobs: { state: 'there', value: joined(before, page, PAGE, ({ id }) => id) } });
  for (const job of page) if (!job.is_over) follow(context, job);
}

// Puts a job at its place in the list, and watches it.
export function follow(context: Context, job: Job): void {
  put(context, job);
  if (job.is_over || followed.has(job.id)) return;
  const { office } = context;
  followed.set(job.id, followJob(
    { url: office.eventsUrl(job.id), ask: () => office.job(job.id) },
    (now) => {
      put(context, now);
      if (!now.is_over) return;
      followed.delete(now.id);
      context.tell(t('jobOver', { name: now.kind_zh, state: now.state_zh }), Boolean(now.error));
      void context.reloadProjects();
    },
    (fault) => {
      const isGone = fault instanceof ApiError && FOR_GOOD.includes(fault.status);
      if (isGone) followed.delete(job.id);
      context.tell(isGone ? refusalText(sentenceOf(fault)) : t('jobLost'), true);
      return isGone;
    }));
}

function put(context: Context, job: Job): void {
  const { jobs } = context.store.get();
  const hasMore = jobs.state === 'there' && jobs.value.hasMore;
  const before = rowsOf(context);
  const isThere = before.some(({ id }) => id === job.id);
  const rows = isThere ? before.map((one) => (one.id === job.id ? job : one)) : [job, ...before];
  context.store.set({ jobs: { state: 'there', value: { rows, hasMore } } });
}

export function drawJobs(context: Context): HTMLElement {
  const { jobs } = context.store.get();
  const again = () => {
    context.store.set({ jobs: LOADING });
    void loadJobs(context);
  };
  return section(t('jobs'), '', asked(jobs, (page) => drawPage(context, page), again));
}

function drawPage(context: Context, { rows, hasMore }: Paged<Job>): HTMLElement {
  if (!rows.length) return h('p', { class: 'gg-none' }, t('jobsNone'));
  const more = h('button', {
    type: 'button', class: 'gg-button', id: 'gg-jobs-more',
    onclick: () => {
      more.disabled = true;
      void loadOlder(context).finally(() => { more.disabled = false; });
    },
  }, t('jobsMore'));
  return h('div', {},
    h('ul', { class: 'gg-jobs', id: 'gg-jobs' }, ...rows.map((job) => jobRow(context, job))),
    hasMore && more);
}

function jobRow(context: Context, job: Job): HTMLLIElement {
  const cancel = async () => {
    const done = await ask(context.office.cancel(job.id));
    if (done.state === 'failed') context.tell(refusalText(done.why), true);
    if (done.state === 'there') put(context, done.value);
  };
  const { result } = job;
  const open = async () => {
    if (!result?.plan) return;
    await context.reloadProjects();
    context.store.set({ tab: 'map' });
    // Of the same plan too: what was counted anew is in other tiles.
    await context.open(result.plan);
  };
  const isBad = Boolean(job.error);
  return h('li', { 'data-job': job.id },
    h('div', { class: 'gg-row' },
      h('span', { class: `gg-badge ${isBad ? 'bad' : job.is_over ? 'good' : ''}` }, job.state_zh || job.state),
      h('b', {}, job.kind_zh || job.kind),
      !job.is_over && h('button', { type: 'button', class: 'gg-small gg-end', onclick: () => void cancel() }, t('jobCancel')),
      result?.plan && h('button', { type: 'button', class: 'gg-small gg-end', onclick: () => void open() }, t('jobOpen'))),
    !job.is_over && h('div', { class: 'gg-row' }, h('progress', { max: 1, value: job.progress }), h('span', { class: 'gg-by' }, percent(job.progress))),
    job.note && h('div', { class: 'gg-by' }, refusalText(job.note)),
    isBad && h('p', { class: 'gg-fault' }, refusalText(job.error ?? '')),
    h('div', { class: 'gg-by' }, [job.owner_name, timeText(job.created_at)].filter(Boolean).join(' · ')));
}
