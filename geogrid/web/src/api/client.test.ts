import { expect, test } from 'vitest';
import { Api, ApiError, withQuery } from './client';

interface Call {
  url: string;
  init: RequestInit;
}

function apiThat(answer: (call: Call) => Response): { api: Api; calls: Call[] } {
  const calls: Call[] = [];
  const fetcher = (url: RequestInfo | URL, init: RequestInit = {}) => {
    const call = { url: String(url), init };
    calls.push(call);
    return Promise.resolve(answer(call));
  };
  return { api: new Api('/api/v1', fetcher), calls };
}

const headersOf = (call: Call | undefined) => (call?.init.headers ?? {}) as Record<string, string>;

test('a write says from which version it starts and bears the token of the session', async () => {
  const { api, calls } = apiThat(() => Response.json({ csrf: 'secret', user: null }));
  await api.me();
  await api.edit('p', 'v3', { command: 'rename' });
  expect(calls[1]?.url).toBe('/api/v1/plans/p/edits');
  expect(headersOf(calls[1])).toMatchObject({ 'if-match': '"v3"', 'x-csrf-token': 'secret' });
  expect(headersOf(calls[0])).not.toHaveProperty('x-csrf-token');
});

test('a refusal keeps the sentence of the service, and a stale version is told apart', async () => {
  const stale = { status: 409, head: 'v9', changed_cells: { wei: ['1'] } };
  const { api } = apiThat(({ url }) => (url.includes('/edits')
    ? Response.json(stale, { status: 409 })
    : Response.json({ detail: 'cell 1 is locked' }, { status: 409 })));
  const edited = await api.edit('p', 'v3', { command: 'rename' }).catch((fault: unknown) => fault);
  expect(edited instanceof ApiError && edited.isConflict).toBe(true);
  const undone = await api.undo('p', 'v3').catch((fault: unknown) => fault);
  expect(undone instanceof ApiError && !undone.isConflict && undone.message).toBe('cell 1 is locked');
});

test('no answer at all and an answer that is no JSON are errors too', async () => {
  const dead = new Api('/api/v1', () => Promise.reject(new TypeError('failed')));
  await expect(dead.projects()).rejects.toMatchObject({ status: 0 });
  const { api } = apiThat(() => new Response('<html>', { status: 502 }));
  await expect(api.projects()).rejects.toMatchObject({ status: 502, message: 'HTTP 502' });
});

test('an answer without a body is read as nothing', async () => {
  const { api } = apiThat(() => new Response(null, { status: 204 }));
  await expect(api.logout()).resolves.toBeUndefined();
});

test('addresses are written so that any name is safe in them', () => {
  expect(withQuery('/a', { q: '建设 1&2', level: undefined, box: '' })).toBe('/a?q=%E5%BB%BA%E8%AE%BE+1%262');
  const api = new Api('/api/v1');
  expect(api.tiles('a/b', 'v1', 'cells', 'http://x')).toBe('http://x/api/v1/plans/a%2Fb/versions/v1/tiles/cells/{z}/{x}/{y}.mvt');
});
