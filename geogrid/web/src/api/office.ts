// Calls for versions, files, jobs and accounts: what is done around the map.
import type { Api } from './client';
import { withQuery } from './client';
import type {
  Account, AuditPage, FileRole, GrantPair, Job, Key, NewAccount, Order, SchemeEntry, StoredFile,
} from './office.types';
import type { Comparison, PlanComparison, Settings, StateAnswer, Version } from './types';

export interface Advance {
  to: string;
  effective_from?: string;
  effective_to?: string;
  supersede?: boolean;
}

const part = encodeURIComponent;

export class Office {
  constructor(private readonly api: Api) {}

  settings(): Promise<Settings> {
    return this.api.get('/settings');
  }

  versions(plan: string, limit: number, before = ''): Promise<Version[]> {
    return this.api.get(withQuery(`/plans/${part(plan)}/versions`, { limit, before }));
  }

  advance(plan: string, version: string, step: Advance): Promise<StateAnswer> {
    return this.api.send('POST', `/plans/${part(plan)}/state`, step, version);
  }

  compare(plan: string, before: string, after: string): Promise<Comparison> {
    return this.api.get(`/plans/${part(plan)}/versions/${part(before)}/compare/${part(after)}`);
  }

  comparePlans(plan: string, version: string, other: string, otherVersion: string): Promise<PlanComparison> {
    const path = `/plans/${part(plan)}/versions/${part(version)}/compare`;
    return this.api.get(withQuery(path, { other, version: otherVersion }));
  }

  files(project: string): Promise<StoredFile[]> {
    return this.api.get(`/projects/${part(project)}/files`);
  }

  upload(project: string, role: FileRole, file: File, onProgress: (share: number) => void): Promise<StoredFile> {
    const path = withQuery(`/projects/${part(project)}/files`, { role, name: file.name });
    return this.api.upload(path, file, onProgress);
  }

  removeFile(file: string): Promise<void> {
    return this.api.send('DELETE', `/files/${part(file)}`, undefined);
  }

  jobs(limit: number, before = ''): Promise<Job[]> {
    return this.api.get(withQuery('/jobs', { limit, before }));
  }

  job(job: string): Promise<Job> {
    return this.api.get(`/jobs/${part(job)}`);
  }

  start(of: { project: string } | { plan: string }, order: Order): Promise<Job> {
    const path = 'plan' in of ? `/plans/${part(of.plan)}/jobs` : `/projects/${part(of.project)}/jobs`;
    return this.api.send('POST', path, order);
  }

  cancel(job: string): Promise<Job> {
    return this.api.send('POST', `/jobs/${part(job)}/cancel`, {});
  }

  eventsUrl(job: string): string {
    return this.api.address(`/jobs/${part(job)}/events`);
  }

  schemes(): Promise<SchemeEntry[]> {
    return this.api.get('/schemes');
  }

  setPassword(old: string, next: string): Promise<void> {
    return this.api.send('PUT', '/me/password', { old, new: next });
  }

  keys(): Promise<Key[]> {
    return this.api.get('/me/keys');
  }

  addKey(label: string): Promise<{ id: string; key: string; label: string }> {
    return this.api.send('POST', '/me/keys', { label });
  }

  revokeKey(key: string): Promise<void> {
    return this.api.send('DELETE', `/me/keys/${part(key)}`, undefined);
  }

  accounts(): Promise<Account[]> {
    return this.api.get('/accounts');
  }

  addAccount(account: NewAccount): Promise<{ id: string }> {
    return this.api.send('POST', '/accounts', account);
  }

  setGrants(account: string, grants: GrantPair[]): Promise<Account> {
    return this.api.send('PUT', `/accounts/${part(account)}/grants`, { grants });
  }

  resetPassword(account: string, next: string): Promise<void> {
    return this.api.send('PUT', `/accounts/${part(account)}/password`, { new: next });
  }

  setActive(account: string, isActive: boolean): Promise<Account> {
    return this.api.send('PUT', `/accounts/${part(account)}/active`, { is_active: isActive });
  }

  audit(limit: number, before?: number, plan?: string): Promise<AuditPage> {
    return this.api.get(withQuery('/audit', { limit, before, plan }));
  }
}
