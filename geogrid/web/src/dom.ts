// Small helpers to build the page; text is always set as text.
type Child = Node | string | null | undefined | false;
type Props = Record<string, unknown>;

export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K, props: Props = {}, ...children: Child[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value as EventListener);
    else if (name === 'class') node.className = String(value);
    else if (name === 'checked' || name === 'value' || name === 'disabled' || name === 'hidden') {
      Object.assign(node, { [name]: value });
    } else node.setAttribute(name, value === true ? '' : String(value));
  }
  node.append(...children.filter((child): child is Node | string => child !== null && child !== undefined && child !== false));
  return node;
}

export function byId(id: string): HTMLElement {
  const node = document.getElementById(id);
  if (!node) throw new Error(`the page has no part ${id}`);
  return node;
}

export function choice(
  kind: 'radio' | 'checkbox', group: string, value: string, text: string, checked: boolean,
  onChange: (checked: boolean) => void,
): HTMLLabelElement {
  const input = h('input', {
    type: kind, name: `gg-${group}`, value, checked,
    onchange: () => onChange(input.checked),
  });
  return h('label', {}, input, h('span', {}, text));
}

export function rowButton(main: string, side: string, onClick: () => void): HTMLLIElement {
  return h('li', {}, h('button', { type: 'button', onclick: onClick },
    h('span', { class: 'gg-main' }, main), h('span', { class: 'gg-side' }, side)));
}

export function later<A extends unknown[]>(wait: number, act: (...args: A) => void): (...args: A) => void {
  let timer = 0;
  return (...args) => {
    window.clearTimeout(timer);
    timer = window.setTimeout(() => act(...args), wait);
  };
}

// Acts at most once a while, with the latest of what was said.
export function atMost<A extends unknown[]>(every: number, act: (...args: A) => void): (...args: A) => void {
  let latest: A | null = null;
  return (...args) => {
    const isWaiting = latest !== null;
    latest = args;
    if (isWaiting) return;
    window.setTimeout(() => {
      const now = latest;
      latest = null;
      if (now) act(...now);
    }, every);
  };
}
