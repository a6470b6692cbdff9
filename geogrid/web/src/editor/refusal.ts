// Refusals come as "english sentence (中文句子)"; whoever reads Chinese is shown the Chinese.
import { currentLanguage } from '../i18n';

export interface Said {
  first: string;
  more: string;
}

const CHINESE = /[\u3400-\u9fff]/;

// The brackets that end a sentence, with what they hold; brackets inside of them count along.
function lastBrackets(sentence: string): [string, string] | null {
  const text = sentence.trim().replace(/[.。]$/, '');
  if (!/[)）]$/.test(text)) return null;
  let depth = 0;
  for (let at = text.length - 1; at >= 0; at -= 1) {
    const one = text.charAt(at);
    if (')）'.includes(one)) depth += 1;
    if ('(（'.includes(one)) depth -= 1;
    if (depth === 0) return [text.slice(0, at).trim(), text.slice(at + 1, -1).trim()];
  }
  return null;
}

export function saidIn(sentence: string, isChinese: boolean): Said {
  const parts = lastBrackets(sentence);
  if (!parts || !CHINESE.test(parts[1])) return { first: sentence, more: '' };
  return isChinese ? { first: parts[1], more: parts[0] } : { first: parts[0], more: '' };
}

export function said(sentence: string): Said {
  return saidIn(sentence, currentLanguage() === 'zh');
}
