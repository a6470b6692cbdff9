// Calls of the service: one method a route, errors as plain sentences.
import type {
  Arc, AtomFacts, Box, CellFacts, Command, DefectFacts, EditAnswer, Feature, Features, Hit, Locks,
  Me, Plan, PreviewAnswer, Project, StationFacts, UnservedRow, Where,
} from './types';

export interface Problem {
  title?: string;
  detail?: string;
  status?: number;
  head?: string;
  changed_cells?: Record<string, string[]>;
  conflict?: string;
}

// An answer that is no success; `status` 0 where there was no answer at all.
export class ApiError extends Error {
  constructor(readonly status: number, readonly problem: Problem) {
    super(problem.detail ?? problem.title ?? `HTTP ${status}`);
  }

  get isConflict(): boolean {
    return this.status === 409 && this.problem.head !== undefined;
  }
}

type Query = Record<string, string | number | undefined>;
type Fetch = typeof fetch;

export function withQuery(path: string, query: Query): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return text ? `${path}?${text}` : path;
}

const boxText = (box: Box) => box.map((value) => value.toFixed(6)).join(',');

export class Api {
  private csrf = '';

  constructor(private readonly base = '/api/v1', private readonly fetcher: Fetch = (...a) => fetch(...a)) {}

  async me(): Promise<Me> {
    const me = await this.get<Me>('/me');
    this.csrf = me.csrf ?? '';
    return me;
  }

  login(name: string, password: string): Promise<void> {
    return this.send('POST', '/login', { name, password });
  }

  logout(): Promise<void> {
    return this.send('POST', '/logout', {});
  }

  projects(): Promise<Project[]> {
    return this.get('/projects');
  }

  plan(id: string): Promise<Plan> {
    return this.get(this.of(id));
  }

  cells(id: string, version: string, level: string, box: Box): Promise<Features<CellFacts>> {
    return this.get(withQuery(`${this.at(id, version)}/cells`, { level, bbox: boxText(box) }));
  }

  cell(id: string, version: string, code: string): Promise<Feature<CellFacts>> {
    return this.get(`${this.at(id, version)}/cells/${encodeURIComponent(code)}`);
  }

  search(id: string, version: string, q: string): Promise<Hit[]> {
    return this.get(withQuery(`${this.at(id, version)}/search`, { q }));
  }

  where(id: string, version: string, lon: number, lat: number): Promise<Where> {
    return this.get(withQuery(`${this.at(id, version)}/where`, { lon, lat }));
  }

  stations(id: string, version: string): Promise<Features<StationFacts>> {
    return this.get(`${this.at(id, version)}/stations`);
  }

  circles(id: string, version: string, minutes: number): Promise<Features<{ minutes: number }>> {
    return this.get(withQuery(`${this.at(id, version)}/circles`, { minutes }));
  }

  unserved(id: string, version: string, level: string, minutes: number): Promise<UnservedRow[]> {
    return this.get(withQuery(`${this.at(id, version)}/unserved`, { level, minutes }));
  }

  defects(id: string, version: string): Promise<Features<DefectFacts>> {
    return this.get(`${this.at(id, version)}/defects`);
  }

  async arcs(id: string, version: string, box: Box): Promise<Arc[]> {
    const answer = await this.get<{ arcs: Arc[] }>(
      withQuery(`${this.at(id, version)}/arcs`, { bbox: boxText(box) }));
    return answer.arcs;
  }

  atoms(id: string, version: string, box: Box): Promise<Features<AtomFacts>> {
    return this.get(withQuery(`${this.at(id, version)}/atoms`, { bbox: boxText(box) }));
  }

  preview(id: string, head: string, command: Command, prove = false): Promise<PreviewAnswer> {
    return this.send('POST', `${this.of(id)}/preview`, { command, ...(prove ? { prove } : {}) }, head);
  }

  edit(id: string, head: string, command: Command): Promise<EditAnswer> {
    return this.send('POST', `${this.of(id)}/edits`, { command }, head);
  }

  undo(id: string, head: string): Promise<EditAnswer> {
    return this.send('POST', `${this.of(id)}/undo`, {}, head);
  }

  redo(id: string, head: string): Promise<EditAnswer> {
    return this.send('POST', `${this.of(id)}/redo`, {}, head);
  }

  lock(id: string, head: string, locks: Locks): Promise<unknown> {
    return this.send('PUT', `${this.of(id)}/locks`, locks, head);
  }

  setState(id: string, head: string, to: string): Promise<unknown> {
    return this.send('POST', `${this.of(id)}/state`, { to }, head);
  }

  // Sends a file as it is and tells how much of it is there: only this old call can.
  upload<T>(path: string, file: Blob, onProgress: (share: number) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      const sent = new XMLHttpRequest();
      sent.open('POST', this.address(path));
      sent.setRequestHeader('content-type', 'application/octet-stream');
      if (this.csrf) sent.setRequestHeader('x-csrf-token', this.csrf);
      sent.upload.addEventListener('progress', ({ loaded, total }) => onProgress(total ? loaded / total : 0));
      sent.addEventListener('error', () => reject(new ApiError(0, { title: 'no answer' })));
      sent.addEventListener('load', () => {
        const value = parsed(sent.responseText);
        if (sent.status >= 200 && sent.status < 300) resolve(value as T);
        else reject(new ApiError(sent.status, (value ?? {}) as Problem));
      });
      sent.send(file);
    });
  }

  address(path: string): string {
    return this.base + path;
  }

  // MapLibre asks for tiles in a worker, where only whole addresses mean anything.
  tiles(id: string, version: string, layer: string, origin: string): string {
    return `${origin}${this.base}${this.at(id, version)}/tiles/${layer}/{z}/{x}/{y}.mvt`;
  }

  exportUrl(id: string, version: string, format: string): string {
    return withQuery(`${this.base}${this.at(id, version)}/export`, { format });
  }

  private of(id: string): string {
    return `/plans/${encodeURIComponent(id)}`;
  }

  private at(id: string, version: string): string {
    return `${this.of(id)}/versions/${encodeURIComponent(version)}`;
  }

  get<T>(path: string): Promise<T> {
    return this.call<T>(path, { headers: { accept: 'application/json' } });
  }

  send<T>(method: string, path: string, body: unknown, head?: string): Promise<T> {
    const headers: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' };
    if (this.csrf) headers['x-csrf-token'] = this.csrf;
    if (head !== undefined) headers['if-match'] = `"${head}"`;
    return this.call<T>(path, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  }

  private async call<T>(path: string, init: RequestInit): Promise<T> {
    let answer: Response;
    try {
      answer = await this.fetcher(this.base + path, { ...init, credentials: 'same-origin' });
    } catch {
      throw new ApiError(0, { title: 'no answer' });
    }
    const text = answer.status === 204 ? '' : await answer.text();
    const value: unknown = parsed(text);
    if (!answer.ok) throw new ApiError(answer.status, (value ?? {}) as Problem);
    return value as T;
  }
}

function parsed(text: string): unknown {
  if (!text) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
