import { expect, test } from 'vitest';
import { saidIn } from './refusal';

test('the Chinese in the last brackets comes first for whoever reads Chinese', () => {
  const sentence = 'level wei (微网格) has no kind x: use one of 居住 (微网格没有“x”这种类型：可选居住)';
  expect(saidIn(sentence, true)).toEqual({
    first: '微网格没有“x”这种类型：可选居住', more: 'level wei (微网格) has no kind x: use one of 居住',
  });
  expect(saidIn(sentence, false)).toEqual({ first: 'level wei (微网格) has no kind x: use one of 居住', more: '' });
});

test('brackets inside of the Chinese sentence stay in it', () => {
  expect(saidIn('01 keep their ground (村(社区)为行政层级)', true).first).toBe('村(社区)为行政层级');
});

test('a sentence without a Chinese end is shown as it is', () => {
  for (const sentence of ['try again', 'cell 1 (wei): try again', 'level wei (微网格) is there', 'odd )']) {
    expect(saidIn(sentence, true)).toEqual({ first: sentence, more: '' });
  }
});
