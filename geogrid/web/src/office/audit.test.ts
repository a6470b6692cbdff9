import { expect, test } from 'vitest';
import { actionText, detailText } from './audit';

test('details are told as short pairs, and what is no plain value is left out', () => {
  expect(detailText({ branch: 'main', number: 3, cells: { wei: ['1'] }, note: '', is_draft: false, sha256: 'a'.repeat(64) }))
    .toBe('branch: main · number: 3 · is_draft: false · sha256: aaaaaaaaaaaa…');
  expect(detailText(null)).toBe('');
});

test('what was done is told in Chinese where it is known', () => {
  expect(actionText('change state')).toBe('改变状态');
  expect(actionText('something new')).toBe('something new');
});
