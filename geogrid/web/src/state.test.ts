import { expect, test } from 'vitest';
import { createStore } from './state';

test('a listener hears of its fields alone, and of real changes alone', () => {
  const store = createStore({ level: 'a', minutes: 5 });
  const heard: string[] = [];
  const off = store.on(['level'], (now, before) => heard.push(`${before.level}${now.level}`));
  store.set({ minutes: 15 });
  store.set({ level: 'a' });
  store.set({ level: 'b' });
  off();
  store.set({ level: 'c' });
  expect(heard).toEqual(['ab']);
  expect(store.get()).toEqual({ level: 'c', minutes: 15 });
});

test('a listener may change the state again', () => {
  const store = createStore({ level: 'a', card: 'old' });
  store.on(['level'], () => store.set({ card: '' }));
  store.set({ level: 'b' });
  expect(store.get()).toEqual({ level: 'b', card: '' });
});
