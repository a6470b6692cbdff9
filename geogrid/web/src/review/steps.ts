// What can be done with a version next, and by whom; the service decides again.
import type { Me, PlanState, Role } from '../api/types';
import type { Word } from '../i18n';

export type RoleName = 'viewer' | 'planner' | 'reviewer' | 'admin';

export interface Step {
  to: PlanState;
  word: Word;
  done: Word;
  ask: Word;
  needsDates: boolean;
}

interface Rule {
  from: readonly PlanState[];
  roles: readonly RoleName[];
  step: Step;
}

const step = (to: PlanState, name: string, needsDates = false): Step => ({
  to, word: `step_${name}` as Word, done: `did_${name}` as Word, ask: `ask_${name}` as Word, needsDates,
});

const RULES: readonly Rule[] = [
  { from: ['draft'], roles: ['planner'], step: step('submitted', 'submit') },
  { from: ['submitted'], roles: ['reviewer'], step: step('reviewed', 'approve') },
  { from: ['submitted', 'reviewed'], roles: ['reviewer'], step: step('draft', 'sendBack') },
  { from: ['reviewed'], roles: ['reviewer', 'admin'], step: step('in_force', 'publish', true) },
  { from: ['in_force'], roles: ['reviewer', 'admin'], step: step('archived', 'archive') },
];

const RIGHTS = {
  seeVersions: ['planner', 'reviewer', 'admin'],
  runJobs: ['planner', 'reviewer', 'admin'],
  bringData: ['planner', 'admin'],
  makePlans: ['planner', 'admin'],
  keepAccounts: ['admin'],
  readAudit: ['reviewer', 'admin'],
} as const satisfies Record<string, readonly RoleName[]>;

export type Right = keyof typeof RIGHTS;

export function rolesOf(me: Me | null): Set<string> {
  return new Set(me?.user?.roles.map(({ role }: Role) => role) ?? []);
}

export function may(me: Me | null, right: Right): boolean {
  const roles = rolesOf(me);
  return RIGHTS[right].some((role) => roles.has(role));
}

export function nextSteps(state: PlanState, isProven: boolean, roles: ReadonlySet<string>): Step[] {
  return RULES
    .filter((rule) => rule.from.includes(state) && rule.roles.some((role) => roles.has(role)))
    // Nobody submits what is not proven: the service would refuse.
    .filter(({ step: { to } }) => isProven || to !== 'submitted')
    .map((rule) => rule.step);
}
