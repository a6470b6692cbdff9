import { afterEach, expect, test } from 'vitest';
import { areaText, bandText, percent, setLanguage, t } from './i18n';
import { WORDS } from './words';

afterEach(() => setLanguage('zh'));

test('every sentence is there in both languages and names the same values', () => {
  const values = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();
  for (const [word, [zh, en]] of Object.entries(WORDS)) {
    expect(zh, word).not.toBe('');
    expect(en, word).not.toBe('');
    expect(values(zh), word).toEqual(values(en));
  }
});

test('Chinese comes first and English on demand', () => {
  expect(t('rankingUnit', { level: '微网格', n: 15 })).toBe('微网格 · 15分钟服务圈外');
  setLanguage('en');
  expect(t('minutes', { n: 5 })).toBe('5 min');
  expect(bandText('above')).toBe('above the band');
  expect(bandText(null)).toBe('not judged');
});

test('shares and areas are told as precisely as they mean something', () => {
  expect([percent(0), percent(0.034), percent(0.5)]).toEqual(['0%', '3.4%', '50%']);
  expect([areaText(0.03), areaText(40000.4), areaText(2.5e6)]).toEqual(['0.030 m²', '40000 m²', '2.50 km²']);
});
