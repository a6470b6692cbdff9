// Follows a job until it is over, by what the service sends; where nothing comes through, by asking.
import type { Job } from '../api/office.types';

export interface Source {
  url: string;
  ask: () => Promise<Job>;
  open?: (url: string) => EventSource;
  waitMs?: number;
}

const WAIT_MS = 3000;

// What is told of a fault says whether it is one for good: then nobody is asked again.
type OnLost = (fault: unknown) => boolean;

export function followJob(source: Source, onJob: (job: Job) => void, onLost: OnLost = () => false): () => void {
  let isOver = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const events = (source.open ?? ((url) => new EventSource(url)))(source.url);
  const stop = () => {
    isOver = true;
    clearTimeout(timer);
    events.close();
  };
  const take = (job: Job) => {
    if (isOver) return;
    if (job.is_over) stop();
    onJob(job);
  };
  const read = (event: Event) => {
    const text = (event as MessageEvent<string>).data;
    if (text) take(JSON.parse(text) as Job);
  };
  const poll = async () => {
    try {
      take(await source.ask());
    } catch (fault) {
      if (!isOver && onLost(fault)) stop();
    }
    if (!isOver) timer = setTimeout(() => void poll(), source.waitMs ?? WAIT_MS);
  };
  events.addEventListener('progress', read);
  events.addEventListener('end', read);
  events.addEventListener('error', () => {
    if (isOver) return;
    // The browser tries again by itself, which would ask for ever where the job is forgotten.
    events.close();
    void poll();
  });
  return stop;
}
