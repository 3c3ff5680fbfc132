// SPDX-License-Identifier: MIT
//
// The folder in sight: its pages as they are needed, sorted within what is
// loaded, and the rows that are chosen.
import {events, listPage, tell} from './api.js';
import {button, h, icon} from './dom.js';
import {folderOf, kindOf, nameOf, number, size, visible, when}
  from './format.js';
import {go, hashOf} from './route.js';
import {Rows} from './rows.js';
import {thumbnail} from './thumbs.js';
import {t} from './words.js';

const SORTS = {
  name: (a, b) => a.key < b.key ? -1 : a.key > b.key ? 1 : 0,
  size: (a, b) => (a.size_bytes ?? -1) - (b.size_bytes ?? -1),
  time: (a, b) => (a.time ?? 0) - (b.time ?? 0),
};

const folder = key => ({key, folder: true});
const object = json => ({...json, time: Date.parse(json.last_modified)});

export class Browse {
  /** `on`: {menu(entry, anchor), open(entry), remove(entries),
   * rename(entry), chosen()} */
  constructor(on) {
    Object.assign(this, {on, entries: [], chosen: new Set(), sort: 'name',
      down: false, mount: null, prefix: null, query: ''});
    this.heads = ['name', 'size', 'time'].map(sort => this.head(sort));
    this.all = h('input', {type: 'checkbox', 'aria-label': t('chooseAll'),
      on: {change: () => this.chooseAll(this.all.checked)}});
    this.rows = new Rows({
      make: entry => this.row(entry),
      head: h('div', {role: 'row', 'aria-rowindex': '1', class: 'row'},
        h('div', {role: 'columnheader', class: 'tick'}, this.all),
        this.heads,
        h('div', {role: 'columnheader', class: 'acts'},
          h('span', {class: 'unseen'}, t('actions')))),
      act: {near: () => this.more(),
        toggle: (entry, on_) => this.choose(entry, on_),
        key: (event, entry) => this.onKey(event, entry)},
    });
    this.rows.grid.setAttribute('aria-label', t('files'));
    this.note = h('div', {class: 'note'});
    this.status = h('p', {class: 'status', role: 'status'});
    this.element = h('div', {class: 'browse'}, this.rows.scroller, this.note);
    events.addEventListener('stored', ({detail}) => this.onStored(detail));
    events.addEventListener('gone', ({detail}) => this.onGone(detail));
  }

  head(sort) {
    return h('div', {role: 'columnheader', class: sort},
      h('button', {type: 'button', on: {click: () => this.sortBy(sort)}},
        t(`column.${sort}`), h('span', {class: 'arrow',
          'aria-hidden': 'true'})));
  }

  // ---- what is loaded -----------------------------------------------------

  async show(mount, prefix, query = '') {
    Object.assign(this, {mount, prefix, query});
    this.reload();
  }

  /** The first page is there, or isn't to be had. */
  ready() {
    return this.first;
  }

  reload() {
    this.stop?.abort();
    this.stop = new AbortController();
    Object.assign(this, {loaded: [], cursor: undefined, done: false,
      busy: false, failed: null, mixed: false});
    this.chosen.clear();
    this.on.chosen();
    this.entries = [];
    this.first = this.more(); // before the rows ask for it
    this.rows.set([], {more: true});
    return this.first;
  }

  /** The next page, where there is one and the end is near. */
  async more() {
    if (this.busy || this.done || this.failed || !this.stop)
      return;
    this.busy = true;
    this.tellState();
    const {signal} = this.stop;
    try {
      const page = await listPage(this.mount, this.prefix + this.query,
        {cursor: this.cursor, signal});
      if (signal.aborted)
        return;
      const first = this.cursor === undefined;
      this.cursor = page.next_cursor;
      this.done = !page.truncated;
      this.loaded.push(...(page.prefixes ?? []).map(folder),
        ...page.objects.map(object));
      this.busy = false;
      this.arrange(!first);
    } catch (error) {
      if (signal.aborted)
        return;
      this.busy = false;
      this.failed = error;
      this.tellState();
      tell('listFailed', error);
    }
  }

  arrange(keep = true) {
    const by = SORTS[this.sort];
    const turn = this.down ? -1 : 1;
    const shown = this.loaded.filter(entry => !entry.hidden);
    const parts = [shown.filter(entry => entry.folder),
      shown.filter(entry => !entry.folder)];
    // The gateway's own order is the one by name.
    if (this.sort !== 'name' || this.down || this.mixed)
      parts.forEach(part => part.sort((a, b) =>
        turn * (by(a, b) || SORTS.name(a, b))));
    this.entries = parts.flat();
    this.rows.set(this.entries, {keep, more: !this.done});
    this.heads.forEach((head, at) => {
      const mine = ['name', 'size', 'time'][at] === this.sort;
      const way = this.down ? 'descending' : 'ascending';
      head.setAttribute('aria-sort', mine ? way : 'none');
    });
    this.tellState();
    // One page more where the first one doesn't fill the screen.
    this.rows.draw();
  }

  sortBy(sort) {
    this.down = this.sort === sort ? !this.down : sort !== 'name';
    this.sort = sort;
    this.arrange(false);
  }

  tellState() {
    const count = this.entries.length;
    const parts = [];
    if (this.failed)
      parts.push(h('p', {}, icon('warn'), this.failed.message),
        button('retry', t('retry'), () => {
          this.failed = null;
          this.more();
        }));
    else if (this.busy && count === 0)
      parts.push(h('p', {class: 'loading'}, t('loading')));
    else if (this.done && count === 0)
      parts.push(icon(this.query ? 'search' : 'folder'), h('p', {},
        this.query ? t('nothingFound', {text: visible(this.query)}) :
          t('emptyFolder')), this.query ? null :
        h('p', {class: 'hint'}, t('emptyHint')));
    this.note.replaceChildren(...parts);
    this.note.hidden = parts.length === 0;
    this.status.textContent = count === 0 ? '' :
      this.done ? t('count', {n: count, text: number(count)}) :
        t('countSoFar', {n: count, text: number(count)});
  }

  /** An object that was stored, or changed its place. */
  onStored({mount, key, size: bytes, time = Date.now()}) {
    if (mount !== this.mount || this.prefix === null ||
        !key.startsWith(this.prefix + this.query) || !this.loaded)
      return;
    const slash = key.indexOf('/', this.prefix.length);
    const shown = slash < 0 ? key : key.slice(0, slash + 1);
    this.loaded = this.loaded.filter(entry => entry.key !== shown);
    this.mixed = true;
    this.loaded.push(slash < 0 ? {key, size_bytes: bytes, time, etag: time} :
      folder(shown));
    this.arrangeSoon();
  }

  onGone({mount, keys}) {
    if (mount !== this.mount || !this.loaded)
      return;
    const gone = new Set(keys);
    this.loaded = this.loaded.filter(entry => !gone.has(entry.key));
    keys.forEach(key => this.chosen.delete(key));
    this.arrangeSoon();
  }

  arrangeSoon() {
    clearTimeout(this.soon);
    this.soon = setTimeout(() => {
      this.arrange();
      this.on.chosen();
    }, 60);
  }

  /** Out of sight while there is an undo. */
  hide(entries, hidden) {
    for (const entry of entries) {
      entry.hidden = hidden;
      this.chosen.delete(entry.key);
    }
    this.arrange();
    this.on.chosen();
  }

  // ---- rows ---------------------------------------------------------------

  row(entry) {
    const name = visible(nameOf(entry.key));
    const chosen = this.chosen.has(entry.key);
    const tick = h('input', {type: 'checkbox', checked: chosen, tabIndex: -1,
      'aria-label': t('choose', {name}),
      on: {change: () => this.choose(entry, tick.checked)}});
    const place = h('span', {class: 'thumb'},
      icon(entry.folder ? 'folder' : kindOf(name)));
    if (!entry.folder)
      thumbnail(place, this.mount, entry);
    const more = h('button', {type: 'button', class: 'button bare',
      tabIndex: -1, 'aria-haspopup': 'menu', 'aria-expanded': 'false',
      'aria-label': t('actionsFor', {name}),
      on: {click: () => this.on.menu(entry, more)}}, icon('more'));
    const bytes = entry.folder ? '' : size(entry.size_bytes);
    const time = entry.folder ? '' : when(entry.time);
    return h('div', {role: 'row', class: chosen ? 'row chosen' : 'row',
      'aria-selected': String(chosen), on: {
        click: event => {
          if (!event.target.closest('a, input, button'))
            this.choose(entry, !this.chosen.has(entry.key));
        },
        dblclick: () => this.on.open(entry)}},
    h('div', {role: 'gridcell', class: 'tick'}, tick),
    h('div', {role: 'gridcell', class: 'name'}, place,
      h('a', {href: hashOf(this.mount, entry.key), tabIndex: -1, dir: 'auto',
        title: name}, name),
      h('span', {class: 'about', 'aria-hidden': 'true'},
        entry.folder ? '' : `${bytes} · ${time}`)),
    h('div', {role: 'gridcell', class: 'size'}, bytes),
    h('div', {role: 'gridcell', class: 'time'}, time),
    h('div', {role: 'gridcell', class: 'acts'}, more));
  }

  choose(entry, chosen) {
    if (chosen)
      this.chosen.add(entry.key);
    else
      this.chosen.delete(entry.key);
    const row = this.rows.shown.get(this.entries.indexOf(entry));
    if (row) {
      row.classList.toggle('chosen', chosen);
      row.setAttribute('aria-selected', String(chosen));
      row.querySelector('input').checked = chosen;
    }
    this.all.checked = this.chosen.size > 0 &&
      this.chosen.size === this.entries.length;
    this.all.indeterminate = this.chosen.size > 0 && !this.all.checked;
    this.on.chosen();
  }

  chooseAll(chosen) {
    this.chosen = new Set(chosen ? this.entries.map(entry => entry.key) : []);
    this.all.checked = chosen;
    this.all.indeterminate = false;
    this.rows.again();
    this.on.chosen();
  }

  chosenEntries() {
    return this.entries.filter(entry => this.chosen.has(entry.key));
  }

  onKey(event, entry) {
    const acts = {
      Enter: () => this.on.open(entry),
      ' ': () => this.choose(entry, !this.chosen.has(entry.key)),
      Delete: () => this.on.remove(this.chosen.size > 0 ?
        this.chosenEntries() : [entry]),
      F2: () => this.on.rename(entry),
      ContextMenu: () => this.on.menu(entry, this.menuOf(entry)),
      F10: event.shiftKey &&
        (() => this.on.menu(entry, this.menuOf(entry))),
      Backspace: () => this.up(),
      Escape: () => this.chooseAll(false),
      a: (event.ctrlKey || event.metaKey) && (() => this.chooseAll(true)),
    };
    const act = acts[event.key];
    if (!act || !entry)
      return;
    event.preventDefault();
    act();
  }

  menuOf(entry) {
    return this.rows.shown.get(this.entries.indexOf(entry))
      .querySelector('.acts button');
  }

  up() {
    if (this.prefix !== '')
      go(this.mount, folderOf(this.prefix));
  }
}
