// Households of a cell against its band, as a bar.
import type { Band } from '../api/types';

export type BandLook = 'good' | 'near' | 'far' | 'none';

// As a share of the limit that is missed.
const NEAR = 0.1;

export function missed(households: number, { low, high }: Band): number {
  if (low !== null && households < low) return households - low;
  return high !== null && households > high ? households - high : 0;
}

export function bandLook(households: number | null, band: Band | null): BandLook {
  if (households === null || !band || (band.low === null && band.high === null)) return 'none';
  const by = missed(households, band);
  if (by === 0) return 'good';
  const limit = (by < 0 ? band.low : band.high) ?? 0;
  return Math.abs(by) <= limit * NEAR ? 'near' : 'far';
}

export interface Bar {
  // Shares of the bar's length.
  value: number;
  low: number;
  high: number;
}

export function barOf(households: number, { low, high }: Band): Bar {
  const top = Math.max((high ?? (low ?? 0) * 1.6) * 1.35, households, 1);
  return { value: households / top, low: (low ?? 0) / top, high: (high ?? top) / top };
}
