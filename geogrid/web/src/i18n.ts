// Words of the page, Chinese first; data keeps the language it was written in.
import type { Language } from './url';
import { WORDS } from './words';

export type Word = keyof typeof WORDS;

let language: Language = 'zh';

export function setLanguage(next: Language): void {
  language = next;
}

export function currentLanguage(): Language {
  return language;
}

export function t(word: Word, values: Record<string, string | number> = {}): string {
  const text = WORDS[word][language === 'zh' ? 0 : 1];
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(share > 0 && share < 0.1 ? 1 : 0)}%`;
}

export function areaText(squareMetres: number): string {
  if (squareMetres >= 1e6) return `${(squareMetres / 1e6).toFixed(2)} km²`;
  return `${squareMetres < 10 ? squareMetres.toPrecision(2) : Math.round(squareMetres)} m²`;
}

const BANDS: Record<string, Word> = { in: 'bandIn', below: 'bandBelow', above: 'bandAbove' };

export function bandText(band: string | null): string {
  return t(BANDS[band ?? ''] ?? 'bandNone');
}
