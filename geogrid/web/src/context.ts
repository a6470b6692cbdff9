// What the parts of the page share.
import type { Api } from './api/client';
import { ApiError } from './api/client';
import type { DefectFacts, Feature, Features, Level, Me, Plan, Project, StationFacts, UnservedRow } from './api/types';
import { t } from './i18n';
import type { MapView } from './map/view';
import type { Store } from './state';
import { START, type Shown } from './url';

// Something that is asked for: on its way, there, or failed with a sentence.
export type Asked<T> = { state: 'loading' } | { state: 'there'; value: T } | { state: 'failed'; why: string };
export const LOADING = { state: 'loading' } as const;

export interface State extends Shown {
  me: Me | null;
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
  store: Store<State>;
  view(): MapView | null;
  open(plan: string): Promise<void>;
  refresh(version?: string): Promise<void>;
  pickCell(code: string, options?: { zoom?: boolean; level?: string }): Promise<void>;
  pickDefect(defect: Feature<DefectFacts>): void;
  pickPlace(lon: number, lat: number): Promise<void>;
  tell(sentence: string, isBad?: boolean): void;
  fold(): void;
}

export const FIRST: State = {
  ...START,
  me: null,
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

export function sentenceOf(fault: unknown): string {
  if (!(fault instanceof ApiError)) return fault instanceof Error ? fault.message : String(fault);
  if (fault.problem.detail) return fault.problem.detail;
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
