import { describe, expect, it } from 'vitest';
import { type Context, FIRST, type State } from '../context';
import { createStore } from '../state';
import { legendRows } from './legend';

function textsFor(standIns: readonly string[]): string[] {
  const level = { key: 'wei', name: '微网格', band: null };
  const features = standIns.map((stand_in) => ({ properties: { stand_in } }));
  const state = {
    ...FIRST, level: 'wei', layers: ['stations'], info: { levels: [level], limits: [] },
    stations: { state: 'there', value: { features } },
  } as unknown as State;
  return legendRows({ store: createStore<State>(state) } as unknown as Context).map(({ text }) => text);
}

describe('the legend', () => {
  it('says where public places stand in for all stations', () => {
    expect(textsFor(['library', 'library'])).toContain('公共设施（代替服务站）');
    expect(textsFor(['library', ''])).toContain('服务站');
  });

  it('names no stations where there are none', () => {
    expect(textsFor([]).join('')).not.toContain('服务站');
  });
});
