// SPDX-License-Identifier: MIT
//
// Elements, icons, dialogs and messages.  Text becomes text nodes and nothing
// else: no name and no content of an object is ever read as markup.
import {t} from './words.js';

/** h('a', {href, class, on: {click}, data: {}}, ...children) */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false)
      continue;
    if (name === 'on')
      for (const [event, handler] of Object.entries(value))
        element.addEventListener(event, handler);
    else if (name === 'data')
      Object.assign(element.dataset, value);
    else if (name in element && typeof value !== 'string')
      element[name] = value;
    else
      element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat().filter(child => child !== null &&
    child !== undefined && child !== false));
  return element;
}

const PATHS = {
  folder: 'M3 6.5A1.5 1.5 0 0 1 4.5 5h4l2 2.5h9A1.5 1.5 0 0 1 21 9v8.5' +
    'a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 17.5z',
  file: 'M6 3h8l4 4v14H6zM14 3v4h4',
  image: 'M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15.5 9.5h.01',
  audio: 'M9 18V6l10-2v12M9 18a2.5 2.5 0 1 1-2.5-2.5A2.5 2.5 0 0 1 9 18z' +
    'M19 16a2.5 2.5 0 1 1-2.5-2.5A2.5 2.5 0 0 1 19 16z',
  video: 'M3 6h12v12H3zM15 11l6-4v10l-6-4',
  text: 'M6 3h8l4 4v14H6zM14 3v4h4M9 12h6M9 16h6',
  pdf: 'M6 3h8l4 4v14H6zM14 3v4h4M9 17c3-1 5-4 4-7-2 2 1 6 3 6',
  archive: 'M6 3h12v18H6zM12 3v2M12 7v2M12 11v2M11 15h2v3h-2z',
  upload: 'M12 16V4M7 9l5-5 5 5M4 16v4h16v-4',
  download: 'M12 4v12M7 11l5 5 5-5M4 16v4h16v-4',
  link: 'M10 14a4 4 0 0 0 5.7 0l3-3A4 4 0 0 0 13 5.300l-1 1M14 10a4 4 0 0 0' +
    '-5.7 0l-3 3A4 4 0 0 0 11 18.700l1-1',
  inbox: 'M4 13v6h16v-6M4 13l3-8h10l3 8M4 13h5l1 2h4l1-2h5',
  trash: 'M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v5M14 11v5',
  rename: 'M4 20h4L19 9l-4-4L4 16zM13 7l4 4',
  copy: 'M9 9h11v11H9zM15 9V4H4v11h5',
  more: 'M12 6h.01M12 12h.01M12 18h.01',
  close: 'M6 6l12 12M18 6L6 18',
  pause: 'M9 6v12M15 6v12',
  play: 'M8 5l11 7-11 7z',
  outside: 'M14 4h6v6M20 4l-9 9M18 14v6H4V6h6',
  retry: 'M19 12a7 7 0 1 1-2.200-5.100M19 4v4h-4',
  search: 'M11 5a6 6 0 1 0 0 12 6 6 0 0 0 0-12zM15.500 15.500L20 20',
  user: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.500 20a7.500 7.500 0 0 1 15 0',
  up: 'M12 19V5M6 11l6-6 6 6',
  left: 'M15 5l-7 7 7 7',
  right: 'M9 5l7 7-7 7',
  check: 'M5 12.500l4.500 4.500L19 7.500',
  warn: 'M12 4l9 16H3zM12 10v4M12 17h.01',
  camera: 'M4 8h3l2-3h6l2 3h3v11H4zM12 10a3.500 3.500 0 1 0 0 7 3.500 3.500 0 ' +
    '0 0 0-7z',
  home: 'M4 11l8-7 8 7M6 10v10h12V10M10 20v-6h4v6',
  refresh: 'M19 12a7 7 0 1 1-2.200-5.100M19 4v4h-4',
};
const SVG = 'http://www.w3.org/2000/svg';

export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  const path = document.createElementNS(SVG, 'path');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', `icon icon-${name}`);
  svg.setAttribute('aria-hidden', 'true');
  path.setAttribute('d', PATHS[name] ?? PATHS.file);
  svg.append(path);
  return svg;
}

/** A button with an icon; its name is read, and shown where there is room. */
export function button(name, label, click, kind = '') {
  return h('button', {type: 'button', class: `button ${kind}`.trim(),
    title: kind.includes('bare') ? label : null, on: {click}},
  name ? icon(name) : null, h('span', {class: 'label'}, label));
}

let numbers = 0;
/** A field with its label; `hint` is read with it. */
export function field(label, input, hint) {
  const id = `f${++numbers}`;
  input.id = id;
  if (hint)
    input.setAttribute('aria-describedby', `${id}h`);
  return h('div', {class: input.type === 'checkbox' ? 'field tick' : 'field'},
    h('label', {for: id}, label), input,
    hint ? h('p', {class: 'hint', id: `${id}h`}, hint) : null);
}

/** Asks in a dialog.  `body` is an element or several; `accept(form)` may
 * return a promise, and throw what is then shown; the dialog's result is its
 * value, true after an event 'done', or undefined for one that was closed. */
export function ask({title, body, yes, no = t('cancel'), danger, accept,
  wide, opened}) {
  return new Promise(resolve => {
    const trouble = h('p', {class: 'trouble', role: 'alert'});
    let result;
    const heading = h('h2', {id: `d${++numbers}`, tabindex: '-1'}, title);
    const submit = yes ? h('button', {type: 'submit',
      class: danger ? 'button danger' : 'button primary'}, yes) : null;
    const dialog = h('dialog', {class: wide ? 'wide' : '',
      'aria-labelledby': heading.id});
    const form = h('form', {method: 'dialog', novalidate: true},
      heading, body, trouble,
      h('div', {class: 'actions'},
        no ? h('button', {type: 'button', class: 'button',
          on: {click: () => dialog.close()}}, no) : null, submit));
    form.addEventListener('submit', async event => {
      event.preventDefault();
      trouble.textContent = '';
      submit.disabled = true;
      try {
        result = accept ? await accept(form, dialog) : true;
        if (result !== undefined)
          dialog.close();
      } catch (error) {
        trouble.textContent = error.message;
      } finally {
        submit.disabled = false;
      }
    });
    const before = document.activeElement;
    dialog.addEventListener('done', () => {
      result = true;
      dialog.close();
    });
    dialog.addEventListener('close', () => {
      dialog.remove();
      if (document.activeElement === document.body && before?.isConnected)
        before.focus({preventScroll: true});
      resolve(result);
    });
    dialog.append(form);
    document.body.append(dialog);
    dialog.showModal();
    opened?.(form, dialog);
    const first = form.querySelector('input, select, textarea, [data-first]');
    if (!first)
      heading.focus();
  });
}

const polite = h('div', {class: 'toasts', role: 'status',
  'aria-live': 'polite'});

export function messagesIn(parent) {
  parent.append(polite);
}

/** A message at the foot of the page; with `act` it has a button. */
export function toast(text, {act, label, bad, keep = 6000} = {}) {
  const box = h('div', {class: bad ? 'toast bad' : 'toast'},
    h('span', {}, text));
  const away = () => box.remove();
  if (act)
    box.append(h('button', {type: 'button', class: 'button',
      on: {click: () => { away(); act(); }}}, label));
  box.append(button('close', t('close'), away, 'bare'));
  polite.append(box);
  const timer = setTimeout(away, bad ? 2 * keep : keep);
  box.addEventListener('focusin', () => clearTimeout(timer));
  return away;
}

/** A menu below `anchor`: [{icon, label, act, danger}]. */
export function menu(anchor, entries) {
  const list = h('div', {class: 'menu', role: 'menu', popover: 'auto'});
  const close = () => list.hidePopover?.();
  for (const entry of entries.filter(Boolean))
    list.append(h('button', {type: 'button', role: 'menuitem',
      class: entry.danger ? 'danger' : '',
      on: {click: () => { close(); entry.act(); }}},
    icon(entry.icon), entry.label));
  list.addEventListener('keydown', event => {
    const all = [...list.children];
    const at = all.indexOf(document.activeElement);
    const next = {ArrowDown: at + 1, ArrowUp: at - 1 + all.length, Home: 0,
      End: all.length - 1}[event.key];
    if (next !== undefined) {
      event.preventDefault();
      all[next % all.length].focus();
    } else if (event.key === 'Tab') {
      close();
    }
    event.stopPropagation();
  });
  list.addEventListener('toggle', event => {
    if (event.newState !== 'closed')
      return;
    const inside = list.contains(document.activeElement) ||
      document.activeElement === document.body;
    anchor.setAttribute('aria-expanded', 'false');
    list.remove();
    if (inside && anchor.isConnected)
      anchor.focus({preventScroll: true});
  });
  anchor.setAttribute('aria-expanded', 'true');
  // Inside a dialog what stands outside of it can't be reached.
  (anchor.closest('dialog, header, main') ?? document.body).append(list);
  list.showPopover();
  const box = anchor.getBoundingClientRect();
  const {offsetWidth: width, offsetHeight: height} = list;
  const left = Math.min(Math.max(8, box.right - width),
    innerWidth - width - 8);
  const below = box.bottom + height + 8 < innerHeight;
  list.style.left = `${Math.max(8, left)}px`;
  list.style.top = `${below ? box.bottom + 4 :
    Math.max(8, box.top - height - 4)}px`;
  list.firstElementChild?.focus();
}

/** The text into the clipboard; false where the browser doesn't let us. */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** Has the browser save what is at this URL. */
export function saveFrom(url, name) {
  const link = h('a', {href: url, download: name ?? '', rel: 'noopener'});
  document.body.append(link);
  link.click();
  link.remove();
}
