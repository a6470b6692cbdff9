// Sentences of the service, which are English, in the words of the office.
import { currentLanguage, t } from '../i18n';

const COMMANDS: Record<string, string> = {
  paint: '划入网格', create: '新建网格', split: '拆分网格', merge: '合并网格', move_vertex: '移动界点',
  move_run: '移动界线', snap_to_streets: '贴合道路', assign_kind: '指定类型', rename: '更名',
};

// What a version was made by: "合并网格 merge", "undo <version>", "import sha256:…".
export function messageText(message: string): string {
  const [first = '', ...rest] = message.trim().split(/\s+/);
  if (!first) return t('madeUnknown');
  if (first === 'undo') return t('madeUndo');
  if (first === 'redo') return t('madeRedo');
  if (first === 'import') return t('madeImport');
  if (first === 'divide') return t('madeDivide');
  if (first === 'circles') return t('madeCircles');
  const isLabelled = /[\u4e00-\u9fff]/.test(first) && rest.length > 0 && rest.every((word) => /^[\w.-]+$/.test(word));
  if (isLabelled) return currentLanguage() === 'zh' ? first : rest.join(' ').replaceAll('_', ' ');
  return currentLanguage() === 'zh' ? (COMMANDS[message] ?? message) : message;
}

const codes = (text: string | undefined): string => (text ?? '').replaceAll(', ', '、');

// A refusal as the service writes it, and how it is said; what is not listed is shown as it came.
const REFUSALS: readonly [RegExp, (found: RegExpMatchArray) => string][] = [
  [/^you may not do this to the whole plan or to your own work \((.+)\)$/,
    (found) => `您不能对整个方案、或对自己绘制的内容做「${found[1]}」：请由他人办理。`],
  [/^these cells are outside the area that was given to you: (.+) \((.+)\)$/,
    (found) => `以下网格不在您的辖区，不能做「${found[2]}」：${codes(found[1])}`],
  [/^version \S+ is \w+ \((.+?)\) and cannot become \w+ \((.+?)\): allowed next: (.+)$/,
    (found) => `此版本现为「${found[1]}」，不能直接变为「${found[2]}」；下一步只能是：${found[3]}。`],
  [/^version \S+ has (\d+) open defects and is not proven/,
    (found) => `此版本还有 ${found[1]} 处问题、未获证明：请先修正再提交。`],
  [/give effective_from/, () => '生效需要一个日期：请填写生效日期。'],
  [/^version \S+ is in force from (\S+) to (\S+): /,
    (found) => `已有另一版本自 ${found[1]} 起生效${found[2] === '…' ? '' : `至 ${found[2]}`}：请勾选「替代现行版本」并选更晚的生效日期，或先将其归档。`],
  [/^(\d+) of (\d+) rows cannot be used, first ones: (.+)$/,
    (found) => `共 ${found[2]} 行，其中 ${found[1]} 行不能采用（如第 ${codes(found[3])} 行）。`],
  [/^too many requests: wait (\d+)/, (found) => `请求过多：请等 ${found[1]} 秒再试。`],
  [/lacks its X-CSRF-Token/, () => '登录状态已过期：请刷新页面再试。'],
];

export function refusalText(sentence: string): string {
  if (currentLanguage() !== 'zh' || !/^[!-~]/.test(sentence)) return sentence;
  for (const [pattern, say] of REFUSALS) {
    const found = sentence.match(pattern);
    if (found) return say(found);
  }
  // "english sentence (中文短句)": the short one is enough.
  const short = sentence.match(/[(（]([^()（）]*[\u4e00-\u9fff][^()（）]*)[)）]\s*$/);
  return short?.[1] ?? sentence;
}
