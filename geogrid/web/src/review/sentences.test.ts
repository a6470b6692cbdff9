import { afterEach, expect, test } from 'vitest';
import { setLanguage } from '../i18n';
import { messageText, refusalText } from './sentences';

afterEach(() => setLanguage('zh'));

test('what made a version is said in one language', () => {
  expect(messageText('合并网格 merge')).toBe('合并网格');
  expect(messageText('undo 97209a51ba6f20af')).toBe('撤销');
  expect(messageText('import sha256:0f')).toBe('导入方案');
  expect(messageText('')).toBe('未注明');
  expect(messageText('按五一村意见调整 第三组')).toBe('按五一村意见调整 第三组');
  setLanguage('en');
  expect(messageText('移动界线 move_run')).toBe('move run');
  expect(messageText('redo 97209a51ba6f20af')).toBe('Redo');
});

test('refusals of the service are said in Chinese', () => {
  const own = 'you may not do this to the whole plan or to your own work (审核通过)';
  expect(refusalText(own)).toBe('您不能对整个方案、或对自己绘制的内容做「审核通过」：请由他人办理。');
  expect(refusalText('these cells are outside the area that was given to you: 430202, 430203 (提交审核)'))
    .toBe('以下网格不在您的辖区，不能做「提交审核」：430202、430203');
  expect(refusalText('version v3 is draft (草案) and cannot become reviewed (已审核): allowed next: 已提交'))
    .toBe('此版本现为「草案」，不能直接变为「已审核」；下一步只能是：已提交。');
  expect(refusalText('version ab is in force from 2026-05-01 to …: end it first, choose other days, or let this one supersede it'))
    .toContain('替代现行版本');
  expect(refusalText('the file is empty (文件是空的)')).toBe('文件是空的');
  expect(refusalText('3 rows have no place (3 行没有坐标)')).toBe('3 行没有坐标');
});

test('what a reader noticed in a file is said in Chinese', () => {
  expect(refusalText('1 of 3 rows cannot be used, first ones: 4')).toBe('共 3 行，其中 1 行不能采用（如第 4 行）。');
});

test('what nobody translated is shown as it came, and English stays English', () => {
  expect(refusalText('something else went wrong')).toBe('something else went wrong');
  expect(refusalText('不能这样改：cell 1 is locked (网格已锁定)')).toBe('不能这样改：cell 1 is locked (网格已锁定)');
  setLanguage('en');
  expect(refusalText('the file is empty (文件是空的)')).toBe('the file is empty (文件是空的)');
});
