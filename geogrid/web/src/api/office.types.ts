// What the service answers those who keep plans, files and accounts.
export type FileRole = 'households' | 'stations' | 'limit' | 'plan';

export interface StoredFile {
  id: string;
  role: string;
  role_zh: string;
  name: string;
  size: number;
  rows: number | null;
  notes: string[];
  created_at: string;
  owner_name: string;
}

export interface Job {
  id: string;
  kind: string;
  kind_zh: string;
  state: string;
  state_zh: string;
  progress: number;
  note: string;
  project: string;
  plan: string | null;
  result: { plan?: string; version?: string; file?: string } | null;
  error: string | null;
  owner_name: string;
  created_at: string;
  finished_at: string | null;
  is_over: boolean;
}

export interface SchemeEntry {
  key: string;
  title: string;
}

export interface DivideOrder {
  kind: 'divide';
  name: string;
  scheme: string;
  like: string | null;
  limit: string | null;
  households: string | null;
  stations: string | null;
  seed: number;
}

export type Order =
  | DivideOrder
  | { kind: 'import'; name: string; file: string }
  | { kind: 'circles'; stations: string | null; minutes: number[] };

export type GrantPair = [role: string, area: string];

export interface Account {
  id: string;
  name: string;
  display_name: string;
  is_active: boolean;
  grants: GrantPair[];
}

export interface NewAccount {
  name: string;
  display_name: string;
  password: string;
  grants: GrantPair[];
}

export interface Key {
  id: string;
  label: string;
  created_at: string;
  expires_at: string | null;
  revoked_at: string | null;
}

export interface AuditEntry {
  number: number;
  at: string;
  actor_name: string;
  action: string;
  subject: string;
  details: unknown;
  hash: string;
}

export interface AuditPage {
  entries: AuditEntry[];
  is_whole: boolean;
}
