// What the parts of the page share.
import type { Api } from './api/client';
import { ApiError } from './api/client';
import type { Office } from './api/office';
import type { Job, SchemeEntry, StoredFile } from './api/office.types';
import type { DefectFacts, Feature, Features, Level, Me, Plan, Project, Settings, StationFacts, UnservedRow, Version } from './api/types';
import type { Pair } from './compare/view';
import { t } from './i18n';
import type { TileAddresses } from './map/style';
import type { MapView } from './map/view';
import type { Paged } from './review/pages';
import type { Store } from './state';
import { START, type Shown } from './url';

// Something that is asked for: on its way, there, or failed with a sentence.
export type Asked<T> = { state: 'loading' } | { state: 'there'; value: T } | { state: 'failed'; why: string };
export const LOADING = { state: 'loading' } as const;

export const TABS = ['map', 'versions', 'jobs'] as const;
export type Tab = (typeof TABS)[number];

// A plan that is chosen to be compared with the one on show, and its versions.
export interface Rival {
  plan: string;
  version: string;
  versions: Asked<Version[]>;
}

export const NO_RIVAL: Rival = { plan: '', version: 'head', versions: LOADING };

export interface State extends Shown {
  me: Me | null;
  settings: Settings;
  tab: Tab;
  versions: Asked<Paged<Version>>;
  // Versions that are chosen to be compared, and the two that are compared now.
  chosen: readonly string[];
  pair: Pair | null;
  rival: Rival;
  files: Asked<StoredFile[]>;
  jobs: Asked<Paged<Job>>;
  schemes: Asked<SchemeEntry[]>;
  projects: Asked<Project[]>;
  info: Plan | null;
  ranking: Asked<UnservedRow[]>;
  defects: Asked<Features<DefectFacts>>;
  stations: Asked<Features<StationFacts>>;
  layers: readonly string[];
  isEditing: boolean;
  // The level that the map fills: tiles far out leave the finest ones away.
  filled: string;
  card: Card | null;
}

export interface Card {
  title: string;
  rows: () => [string, string][];
}

export interface Context {
  api: Api;
  office: Office;
  store: Store<State>;
  view(): MapView | null;
  open(plan: string): Promise<void>;
  refresh(version?: string): Promise<void>;
  // Asks again for the plan and its versions, where its state may have changed.
  reload(): Promise<void>;
  reloadProjects(): Promise<void>;
  showVersion(version: string): Promise<void>;
  compare(before: string, after: string): Promise<void>;
  comparePlans(version: string, other: string, otherVersion: string): Promise<void>;
  tilesOf(version: string, plan?: string): TileAddresses;
  pickCell(code: string, options?: { zoom?: boolean; level?: string }): Promise<void>;
  pickDefect(defect: Feature<DefectFacts>): void;
  pickPlace(lon: number, lat: number): Promise<void>;
  tell(sentence: string, isBad?: boolean): void;
  fold(): void;
}

export const FIRST: State = {
  ...START,
  me: null,
  settings: { tianditu_key: null },
  tab: 'map',
  versions: LOADING,
  chosen: [],
  pair: null,
  rival: NO_RIVAL,
  files: LOADING,
  jobs: LOADING,
  schemes: LOADING,
  projects: LOADING,
  info: null,
  ranking: LOADING,
  defects: LOADING,
  stations: LOADING,
  layers: ['base', 'stations', 'defects'],
  isEditing: false,
  filled: '',
  card: null,
};

export function levelOf(state: Readonly<State>): Level | null {
  return state.info?.levels.find(({ key }) => key === state.level) ?? null;
}

// The version on show: its identifier, and how far it has come where that is known.
export function shownVersion({ info, version, versions }: Readonly<State>): { id: string; state: string } {
  const id = version === 'head' ? (info?.head ?? '') : version;
  if (id === info?.head) return { id, state: info.state };
  const known = versions.state === 'there' ? versions.value.rows.find((one) => one.id === id) : undefined;
  return { id, state: known?.state ?? '' };
}

export function sentenceOf(fault: unknown): string {
  if (!(fault instanceof ApiError)) return fault instanceof Error ? fault.message : String(fault);
  // What the framework itself says is English and tells nothing.
  const isBare = ['Not Found', 'Forbidden', 'Unauthorized', 'Method Not Allowed'].includes(fault.problem.detail ?? '');
  if (fault.problem.detail && !isBare) return fault.problem.detail;
  if (fault.status === 0) return t('noAnswer');
  if (fault.status === 401) return t('loginNeeded');
  if (fault.status === 403) return t('forbidden');
  return fault.status === 404 ? t('notFound') : fault.message;
}

export async function ask<T>(work: Promise<T>): Promise<Asked<T>> {
  try {
    return { state: 'there', value: await work };
  } catch (fault) {
    return { state: 'failed', why: sentenceOf(fault) };
  }
}
