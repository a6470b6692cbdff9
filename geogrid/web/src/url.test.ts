import { expect, test } from 'vitest';
import { readHash, type Shown, START, writeHash } from './url';

test('what is shown comes back from the address', () => {
  const shown: Shown = {
    plan: 'p1', version: 'v7', level: 'wei', fill: 'unserved', text: 'code', minutes: 5,
    language: 'en', cell: '43020101', view: [15.25, 27.83, 113.13],
  };
  expect(readHash(writeHash(shown))).toEqual(shown);
});

test('what is usual is left out of the address', () => {
  expect(writeHash(START)).toBe('#');
});

test('nonsense in an address is read as the usual', () => {
  expect(readHash('#fill=gold&text=&minutes=soon&language=xx&view=1/2')).toEqual(START);
  expect(readHash('#view=15/95/113').view).toBeNull();
});
