// The one place that knows what is shown; parts of the page listen to the fields they draw.
export type Listener<T> = (state: Readonly<T>, before: Readonly<T>) => void;

export interface Store<T extends object> {
  get(): Readonly<T>;
  set(change: Partial<T>): void;
  on(fields: readonly (keyof T)[], listener: Listener<T>): () => void;
}

export function createStore<T extends object>(initial: T): Store<T> {
  let state = initial;
  const listeners = new Set<{ fields: readonly (keyof T)[]; listener: Listener<T> }>();
  return {
    get: () => state,
    set(change) {
      const before = state;
      const keys = Object.keys(change) as (keyof T)[];
      const changed = keys.filter((key) => change[key] !== before[key]);
      if (!changed.length) return;
      state = { ...before, ...change };
      for (const { fields, listener } of [...listeners]) {
        if (fields.some((field) => changed.includes(field))) listener(state, before);
      }
    },
    on(fields, listener) {
      const entry = { fields, listener };
      listeners.add(entry);
      return () => listeners.delete(entry);
    },
  };
}
