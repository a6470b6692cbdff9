// The project that files and new plans go to: that of the plan on show, or the first.
import type { State } from '../context';

export function projectOf({ info, projects }: Readonly<Pick<State, 'info' | 'projects'>>): string {
  const of = info?.project;
  if (typeof of === 'string') return of;
  if (of && typeof of === 'object' && 'id' in of) return String(of.id);
  return projects.state === 'there' ? (projects.value[0]?.id ?? '') : '';
}
