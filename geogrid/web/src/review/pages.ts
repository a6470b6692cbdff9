// Lists that come a page at a time, newest first.
export interface Paged<T> {
  rows: readonly T[];
  hasMore: boolean;
}

// Joins a further page; what is there already is not listed twice.
export function joined<T>(before: readonly T[], page: readonly T[], size: number, keyOf: (row: T) => string): Paged<T> {
  const known = new Set(before.map(keyOf));
  const fresh = page.filter((row) => !known.has(keyOf(row)));
  return { rows: [...before, ...fresh], hasMore: page.length >= size && fresh.length > 0 };
}

// At most two are chosen; a third lets the one chosen first go.
export function toggledPair(chosen: readonly string[], id: string): string[] {
  return chosen.includes(id) ? chosen.filter((one) => one !== id) : [...chosen, id].slice(-2);
}
