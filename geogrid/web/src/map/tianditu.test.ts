import { expect, test } from 'vitest';
import { groundLayers, groundOf, switched } from './tianditu';

test('a picture comes with its lettering, and every address bears the key', () => {
  const layers = groundLayers('img', 'k 1');
  expect(layers.map(({ id }) => id)).toEqual(['ground-img', 'ground-cia']);
  for (const { source } of layers) {
    expect(source.tiles?.length).toBe(8);
    for (const address of source.tiles ?? []) {
      expect(address).toMatch(/^https:\/\/t[0-7]\.tianditu\.gov\.cn\//);
      expect(address).toContain('tk=k%201');
    }
  }
});

test('switching one picture on switches the other off, and no other layer', () => {
  const first = switched(['base', 'stations'], 'tianditu_vec', true);
  const second = switched(first, 'tianditu_img', true);
  expect(second).toEqual(['base', 'stations', 'tianditu_img']);
  expect(groundOf(second)).toBe('img');
  expect(groundOf(switched(second, 'tianditu_img', false))).toBeNull();
});
