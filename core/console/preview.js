// SPDX-License-Identifier: MIT
//
// An object in sight.  Nothing of it runs: images, sound and films are shown
// as such whatever they say they are, a PDF is given to the browser's viewer
// as one, under the gateway's sandbox where it says that it is one, and all
// else is text.
import {linkFor, request} from './api.js';
import {button, h, icon} from './dom.js';
import {kindOf, nameOf, size, visible, when} from './format.js';
import {t} from './words.js';

const TEXT_MOST = 1 << 20;   // bytes of a text that are shown
const BLOB_MOST = 96 << 20;  // bytes that are loaded where no link can be made
const ENCODINGS = ['utf-8', 'windows-1252', 'utf-16le', 'utf-16be',
  'iso-8859-2', 'windows-1251', 'koi8-r', 'shift_jis', 'euc-jp', 'gb18030',
  'big5', 'euc-kr', 'windows-1256', 'windows-1255'];

async function blobOf(mount, entry, type, signal) {
  if (entry.size_bytes > BLOB_MOST)
    throw new Error(t('look.tooLarge'));
  const answer = await request(mount, '/download', {signal,
    query: {key: entry.key, inline: 'true'}});
  return new Blob([await answer.blob()], {type});
}

/** Of an element that has a source: a link, or where none can be made the
 * bytes. */
async function source(view, mount, entry) {
  const url = await linkFor(mount, entry.key, {inline: true});
  if (url)
    return url;
  const type = kindOf(nameOf(entry.key)) === 'image' &&
    /\.svg$/i.test(entry.key) ? 'image/svg+xml' : '';
  return view.own(await blobOf(mount, entry, type, view.stop.signal));
}

const PDF = 'application/pdf';

/** The link of a PDF, which the gateway puts into a sandbox; the bytes as a
 * PDF where the object says that it is something else, or a frame is refused.
 * An attribute `sandbox` of the frame would keep browsers' viewers out. */
async function pdfSource(view, mount, entry) {
  const {signal} = view.stop;
  const {headers} = await request(mount, '/object', {method: 'HEAD', signal,
    query: {key: entry.key}, tries: 3});
  const type = headers.get('Content-Type') ?? '';
  const framed = !headers.has('X-Frame-Options') &&
    !/frame-ancestors/i.test(headers.get('Content-Security-Policy') ?? '');
  const url = framed && type.split(';')[0].trim().toLowerCase() === PDF ?
    await linkFor(mount, entry.key, {inline: true}) : null;
  return url ?? view.own(await blobOf(mount, entry, PDF, signal));
}

function failing(element, view) {
  element.addEventListener('error', () => view.say(t('look.cant')));
  return element;
}

function encodingOf(bytes, type) {
  const told = /charset="?([\w-]+)/i.exec(type ?? '')?.[1]?.toLowerCase();
  if (bytes[0] === 0xff && bytes[1] === 0xfe)
    return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff)
    return 'utf-16be';
  if (told && ENCODINGS.includes(told))
    return told;
  try {
    // The last character may be cut.
    new TextDecoder('utf-8', {fatal: true}).decode(bytes, {stream: true});
    return 'utf-8';
  } catch {
    return 'windows-1252';
  }
}

const looksBinary = bytes => bytes.subarray(0, 4096).includes(0) &&
  !(bytes[0] >= 0xfe);

const LOOKS = {
  async image(view, mount, entry) {
    return failing(h('img', {src: await source(view, mount, entry),
      alt: visible(nameOf(entry.key))}), view);
  },
  async audio(view, mount, entry) {
    return failing(h('audio', {src: await source(view, mount, entry),
      controls: true, 'aria-label': visible(nameOf(entry.key))}), view);
  },
  async video(view, mount, entry) {
    return failing(h('video', {src: await source(view, mount, entry),
      controls: true, playsInline: true,
      'aria-label': visible(nameOf(entry.key))}), view);
  },
  async pdf(view, mount, entry) {
    const url = await pdfSource(view, mount, entry);
    const name = visible(nameOf(entry.key));
    const open = h('a', {class: 'button roomy', href: url, target: '_blank',
      rel: 'noopener noreferrer'}, icon('outside'),
    h('span', {class: 'label'}, t('look.newTab')));
    if (navigator.pdfViewerEnabled === false)
      return h('div', {class: 'note'}, icon('pdf'),
        h('p', {role: 'status'}, t('look.noPdf')), open);
    view.extra.replaceChildren(open);
    return h('iframe', {src: url, title: name});
  },
  async text(view, mount, entry) {
    const answer = await request(mount, '/download', {
      signal: view.stop.signal, query: {key: entry.key, inline: 'true'},
      headers: entry.size_bytes > TEXT_MOST ?
        {Range: `bytes=0-${TEXT_MOST - 1}`} : {}});
    const bytes = new Uint8Array(await answer.arrayBuffer())
      .subarray(0, TEXT_MOST);
    if (looksBinary(bytes))
      throw new Error(t('look.cant'));
    const found = encodingOf(bytes, answer.headers.get('Content-Type'));
    const text = h('pre', {tabindex: '0', dir: 'auto',
      'aria-label': visible(nameOf(entry.key))});
    const show = encoding =>
      text.textContent = new TextDecoder(encoding).decode(bytes);
    const choice = h('select', {'aria-label': t('look.encoding'),
      on: {change: () => show(choice.value)}}, ENCODINGS.map(one =>
      h('option', {value: one, selected: one === found}, one)));
    show(found);
    view.extra.replaceChildren(choice);
    return h('div', {class: 'textual'}, entry.size_bytes > TEXT_MOST ?
      h('p', {class: 'hint'}, t('look.begin', {size: size(TEXT_MOST)})) :
      null, text);
  },
  async file(view, mount, entry) {
    if (entry.size_bytes <= TEXT_MOST && entry.size_bytes > 0)
      return LOOKS.text(view, mount, entry);
    throw new Error(t('look.none'));
  },
};
LOOKS.archive = async () => { throw new Error(t('look.none')); };

/** `on`: {close, step(way), menu(entry, anchor), download(entry)} */
export class Preview {
  constructor(on) {
    this.on = on;
    this.urls = [];
    this.title = h('h2', {dir: 'auto', tabindex: '-1', id: 'looked'});
    this.about = h('p', {class: 'about'});
    this.extra = h('div', {class: 'extra'});
    this.stage = h('div', {class: 'stage'});
    const more = button('more', t('actions'), () => on.menu(this.entry, more),
      'bare');
    more.setAttribute('aria-haspopup', 'menu');
    this.before = button('left', t('look.before'), () => on.step(-1),
      'bare turn');
    this.after = button('right', t('look.after'), () => on.step(1),
      'bare turn');
    this.dialog = h('dialog', {class: 'preview', 'aria-labelledby': 'looked',
      on: {
        cancel: event => { event.preventDefault(); on.close(); },
        keydown: event => this.onKey(event),
      }}, h('div', {class: 'titles'},
    button('close', t('close'), () => on.close(), 'bare'),
    h('div', {class: 'names'}, this.title, this.about), this.extra,
    button('download', t('download'), () => on.download(this.entry), 'roomy'),
    more),
    h('div', {class: 'room'}, this.before, this.stage, this.after));
  }

  onKey(event) {
    if (event.target.closest('video, audio, select, pre, [role=menu]'))
      return;
    const forward = getComputedStyle(this.dialog).direction === 'rtl' ?
      'ArrowLeft' : 'ArrowRight';
    const way = {ArrowLeft: -1, ArrowRight: 1}[event.key];
    if (way)
      this.on.step(event.key === forward ? 1 : -1);
  }

  /** A URL of these bytes, until another object is shown. */
  own(blob) {
    const url = URL.createObjectURL(blob);
    this.urls.push(url);
    return url;
  }

  say(text) {
    this.stage.replaceChildren(h('div', {class: 'note'}, icon('file'),
      h('p', {role: 'status'}, text)));
  }

  clear() {
    this.stop?.abort();
    this.urls.forEach(url => URL.revokeObjectURL(url));
    this.urls = [];
    this.extra.replaceChildren();
    this.stage.replaceChildren();
  }

  /** `entry` is null: none. */
  async show(mount, entry, {first, last} = {}) {
    this.clear();
    this.entry = entry;
    if (!entry) {
      this.dialog.close();
      this.dialog.remove();
      return;
    }
    const stop = this.stop = new AbortController();
    this.title.textContent = visible(nameOf(entry.key));
    this.about.textContent = entry.size_bytes === undefined ? '' :
      `${size(entry.size_bytes)} · ${when(entry.time)}`;
    this.before.disabled = first;
    this.after.disabled = last;
    if (!this.dialog.open) {
      document.body.append(this.dialog);
      this.dialog.showModal();
      this.title.focus();
    }
    this.say(t('loading'));
    try {
      const shown = await LOOKS[kindOf(nameOf(entry.key))](this, mount,
        entry);
      if (!stop.signal.aborted)
        this.stage.replaceChildren(shown);
    } catch (error) {
      if (!stop.signal.aborted)
        this.say(error.message);
    }
  }
}
