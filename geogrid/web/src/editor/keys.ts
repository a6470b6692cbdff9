// Keys of the editor, as what they ask for.
import { TOOLS, type Tool } from './session';

export type Wanted =
  | { act: 'tool'; tool: Tool }
  | { act: 'undo' | 'redo' | 'drop' | 'enter' | 'remove' | 'help' | 'smaller' | 'larger' };

export interface Key {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  shiftKey: boolean;
  altKey: boolean;
}

const PLAIN: Record<string, Wanted> = {
  Escape: { act: 'drop' }, Enter: { act: 'enter' }, Delete: { act: 'remove' }, Backspace: { act: 'remove' },
  '?': { act: 'help' }, '？': { act: 'help' }, '[': { act: 'smaller' }, ']': { act: 'larger' },
};

export function wantedBy({ key, ctrlKey, metaKey, shiftKey, altKey }: Key, tools: readonly Tool[] = TOOLS): Wanted | null {
  if (altKey) return null;
  if (ctrlKey || metaKey) {
    if (key.toLowerCase() === 'z') return { act: shiftKey ? 'redo' : 'undo' };
    return key.toLowerCase() === 'y' ? { act: 'redo' } : null;
  }
  const tool = /^[1-9]$/.test(key) ? tools[Number(key) - 1] : undefined;
  return tool ? { act: 'tool', tool } : (PLAIN[key] ?? null);
}
