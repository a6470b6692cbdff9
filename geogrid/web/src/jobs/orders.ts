// What a form orders from the service.
import type { DivideOrder, Order } from '../api/office.types';

const MOST_MINUTES = 60;
const MOST_CIRCLES = 4;

// "5, 15" or "5，15 30" as numbers, smallest first; nothing where a word is no number of minutes.
export function minutesOf(text: string): number[] | null {
  const words = text.split(/[\s,，、;；]+/).filter(Boolean);
  const values = words.map(Number);
  const areGood = values.length > 0 && values.every((one) => Number.isFinite(one) && one >= 1 && one <= MOST_MINUTES);
  const found = [...new Set(values)].sort((a, b) => a - b);
  return areGood && found.length <= MOST_CIRCLES ? found : null;
}

export type Fields = Readonly<Record<string, string>>;

const orNull = (text: string | undefined): string | null => (text ? text : null);

export function orderOf(kind: Order['kind'], fields: Fields): Order | null {
  if (kind === 'import') return fields['file'] ? { kind, name: fields['name'] ?? '', file: fields['file'] } : null;
  if (kind === 'circles') {
    const minutes = minutesOf(fields['minutes'] ?? '');
    return minutes && { kind, stations: orNull(fields['stations']), minutes };
  }
  const order: DivideOrder = {
    kind, name: fields['name'] ?? '', scheme: fields['scheme'] ?? '', like: orNull(fields['like']),
    limit: orNull(fields['limit']), households: orNull(fields['households']),
    stations: orNull(fields['stations']), seed: 0,
  };
  return order;
}
