import { expect, test } from 'vitest';
import { type Key, wantedBy } from './keys';
import { LIST_TOOLS } from './session';

const key = (name: string, more: Partial<Key> = {}): Key => ({ key: name, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...more });

test('each tool has its number', () => {
  expect(wantedBy(key('1'))).toEqual({ act: 'tool', tool: 'pick' });
  expect(wantedBy(key('9'))).toEqual({ act: 'tool', tool: 'facts' });
  expect(wantedBy(key('0'))).toBeNull();
});

test('numbers choose among the tools in hand', () => {
  expect(wantedBy(key('2'), LIST_TOOLS)).toEqual({ act: 'tool', tool: 'list_put' });
  expect(wantedBy(key('6'), LIST_TOOLS)).toBeNull();
});

test('steps go back and forth by the keys of the trade', () => {
  expect(wantedBy(key('z', { ctrlKey: true }))).toEqual({ act: 'undo' });
  expect(wantedBy(key('Z', { ctrlKey: true, shiftKey: true }))).toEqual({ act: 'redo' });
  expect(wantedBy(key('y', { metaKey: true }))).toEqual({ act: 'redo' });
  expect(wantedBy(key('z'))).toBeNull();
});

test('the browser keeps its own keys', () => {
  expect(wantedBy(key('1', { ctrlKey: true }))).toBeNull();
  expect(wantedBy(key('Enter', { altKey: true }))).toBeNull();
});
