// Moments as people read them, in the time of their own place.
const two = (value: number): string => String(value).padStart(2, '0');

export function dayText(moment: Date): string {
  return `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())}`;
}

export function timeText(iso: string | null): string {
  const moment = new Date(iso ?? '');
  if (Number.isNaN(moment.getTime())) return iso ?? '';
  return `${dayText(moment)} ${two(moment.getHours())}:${two(moment.getMinutes())}`;
}
