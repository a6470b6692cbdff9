import { expect, test, vi } from 'vitest';
import type { Job } from '../api/office.types';
import { followJob } from './events';

const job = (progress: number, isOver = false) => ({ id: 'j', progress, is_over: isOver }) as Job;

class Stream extends EventTarget {
  isClosed = false;
  close(): void { this.isClosed = true; }
  say(kind: string, value: Job): void { this.dispatchEvent(new MessageEvent(kind, { data: JSON.stringify(value) })); }
}

function followed(ask: () => Promise<Job>) {
  const stream = new Stream();
  const seen: number[] = [];
  const lost = vi.fn(() => false);
  const stop = followJob(
    { url: '/events', ask, open: () => stream as unknown as EventSource, waitMs: 1 },
    ({ progress }) => seen.push(progress), lost);
  return { stream, seen, lost, stop };
}

test('every step is told, and what is over is followed no longer', () => {
  const { stream, seen } = followed(() => Promise.reject(new Error('not asked')));
  stream.say('progress', job(0.5));
  stream.say('end', job(1, true));
  stream.say('progress', job(0.7));
  expect(seen).toEqual([0.5, 1]);
  expect(stream.isClosed).toBe(true);
});

test('where nothing comes through the job is asked for until it is over', async () => {
  const answers = [() => Promise.reject(new Error('gone')), () => Promise.resolve(job(0.6)), () => Promise.resolve(job(1, true))];
  const { stream, seen, lost } = followed(() => (answers.shift() ?? (() => Promise.reject(new Error('asked too often'))))());
  stream.dispatchEvent(new Event('error'));
  await vi.waitFor(() => expect(seen).toEqual([0.6, 1]));
  expect(lost).toHaveBeenCalledTimes(1);
  expect(stream.isClosed).toBe(true);
});

test('whoever has signed out, or may see the job no longer, is asked no further', async () => {
  const ask = vi.fn(() => Promise.reject(new Error('401')));
  const { stream, seen, lost } = followed(ask);
  lost.mockReturnValue(true);
  stream.dispatchEvent(new Event('error'));
  await vi.waitFor(() => expect(lost).toHaveBeenCalledTimes(1));
  await new Promise((resolve) => { setTimeout(resolve, 30); });
  expect(ask).toHaveBeenCalledTimes(1);
  expect(seen).toEqual([]);
});

test('a follower that was stopped tells nothing', () => {
  const { stream, seen, stop } = followed(() => Promise.resolve(job(1, true)));
  stop();
  stream.say('progress', job(0.5));
  stream.dispatchEvent(new Event('error'));
  expect(seen).toEqual([]);
});
