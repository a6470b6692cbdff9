// The jobs: how far each is, how to stop it, and what came of it.
import type { Job } from '../api/office.types';
import { ask, type Context, LOADING } from '../context';
import { h } from '../dom';
import { percent, t } from '../i18n';
import { asked, section } from '../panels/parts';
import { refusalText } from '../review/sentences';
import { timeText } from '../review/time';
import { followJob } from './events';

const followed = new Map<string, () => void>();

export async function loadJobs(context: Context): Promise<void> {
  const found = await ask(context.office.jobs());
  context.store.set({ jobs: found });
  if (found.state === 'there') for (const job of found.value) if (!job.is_over) follow(context, job);
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
    () => context.tell(t('jobLost'), true)));
}

function put({ store }: Context, job: Job): void {
  const { jobs } = store.get();
  const before = jobs.state === 'there' ? jobs.value : [];
  const isThere = before.some(({ id }) => id === job.id);
  const value = isThere ? before.map((one) => (one.id === job.id ? job : one)) : [job, ...before];
  store.set({ jobs: { state: 'there', value } });
}

export function drawJobs(context: Context): HTMLElement {
  const { jobs } = context.store.get();
  const again = () => {
    context.store.set({ jobs: LOADING });
    void loadJobs(context);
  };
  return section(t('jobs'), '', asked(jobs, (all) => (all.length
    ? h('ul', { class: 'gg-jobs', id: 'gg-jobs' }, ...all.map((job) => jobRow(context, job)))
    : h('p', { class: 'gg-none' }, t('jobsNone'))), again));
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
