// Data and jobs beside the map: what may be brought in, started and watched.
import type { Context } from '../context';
import { may } from '../review/steps';
import { drawForms, loadSchemes } from './forms';
import { drawJobs, loadJobs } from './list';
import { drawFiles, drawUploads, loadFiles } from './uploads';

export async function loadOffice(context: Context): Promise<void> {
  const { me } = context.store.get();
  await Promise.all([
    loadJobs(context),
    ...(may(me, 'bringData') ? [loadFiles(context)] : []),
    ...(may(me, 'makePlans') ? [loadSchemes(context)] : []),
  ]);
}

const PARTS = { uploads: drawUploads, files: drawFiles, forms: drawForms, jobs: drawJobs } as const;
type Part = keyof typeof PARTS;

function draw(context: Context, part: Part): HTMLElement {
  const made = PARTS[part](context);
  made.id = `gg-part-${part}`;
  return made;
}

export function drawOffice(context: Context): HTMLElement[] {
  const { me } = context.store.get();
  const parts: Part[] = [
    ...(may(me, 'bringData') ? ['uploads', 'files'] as const : []),
    ...(may(me, 'runJobs') ? ['forms', 'jobs'] as const : []),
  ];
  return parts.map((part) => draw(context, part));
}

// Draws one part again and leaves the others, in which somebody may be writing.
export function drawAgain(context: Context, ...parts: Part[]): void {
  if (context.store.get().tab !== 'jobs') return;
  for (const part of parts) {
    const now = document.getElementById(`gg-part-${part}`);
    const field = document.activeElement?.closest('input, select');
    if (field && now?.contains(field)) waitToDraw(context, part, now);
    else now?.replaceWith(draw(context, part));
  }
}

// A part in which somebody writes is drawn again when they are done.
function waitToDraw(context: Context, part: Part, now: HTMLElement): void {
  if (now.dataset['waits']) return;
  now.dataset['waits'] = 'yes';
  const leave = (event: FocusEvent) => {
    if (now.contains(event.relatedTarget as Node | null)) return;
    now.removeEventListener('focusout', leave);
    // After the click that took the focus away has done its work.
    window.setTimeout(() => drawAgain(context, part), 300);
  };
  now.addEventListener('focusout', leave);
}
