import { expect, test } from 'vitest';
import type { Me, PlanState } from '../api/types';
import { may, nextSteps } from './steps';

const to = (state: PlanState, isProven: boolean, ...roles: string[]) =>
  nextSteps(state, isProven, new Set(roles)).map((step) => step.to);

test('each role is offered what it may do in each state', () => {
  expect(to('draft', true, 'planner')).toEqual(['submitted']);
  expect(to('draft', true, 'reviewer', 'admin', 'viewer')).toEqual([]);
  expect(to('submitted', true, 'reviewer')).toEqual(['reviewed', 'draft']);
  expect(to('submitted', true, 'planner')).toEqual([]);
  expect(to('reviewed', true, 'admin')).toEqual(['in_force']);
  expect(to('reviewed', true, 'reviewer')).toEqual(['draft', 'in_force']);
  expect(to('in_force', true, 'reviewer')).toEqual(['archived']);
  expect(to('archived', true, 'planner', 'reviewer', 'admin')).toEqual([]);
});

test('what is not proven is not submitted', () => {
  expect(to('draft', false, 'planner')).toEqual([]);
});

test('visitors keep no accounts and see no versions', () => {
  const me = (role: string): Me => ({ user: { name: 'x', roles: [{ role, project: null }] }, csrf: '', anonymous_viewing: true, synthetic: false });
  expect(may(null, 'seeVersions')).toBe(false);
  expect(may(me('viewer'), 'runJobs')).toBe(false);
  expect(may(me('reviewer'), 'bringData')).toBe(false);
  expect(may(me('planner'), 'keepAccounts')).toBe(false);
  expect(may(me('admin'), 'keepAccounts')).toBe(true);
});
