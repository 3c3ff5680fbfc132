// SPDX-License-Identifier: MIT
//
// A grid of any number of rows, of which only those in sight are elements.
// One row has the focus; arrows move it.
import {h} from './dom.js';

const SPARE = 6; // rows above and below those in sight

export class Rows {
  /** `make(entry)` gives a row's cells; `act` has key, toggle, open, near. */
  constructor({make, act, head}) {
    Object.assign(this, {make, act, entries: [], shown: new Map(), focus: 0});
    this.body = h('div', {class: 'rows', role: 'rowgroup'});
    this.grid = h('div', {class: 'grid', role: 'grid',
      'aria-multiselectable': 'true'},
    h('div', {role: 'rowgroup', class: 'head'}, head), this.body);
    this.scroller = h('div', {class: 'scroller'}, this.grid);
    let due = false;
    const later = () => {
      if (!due)
        requestAnimationFrame(() => { due = false; this.draw(); });
      due = true;
    };
    this.scroller.addEventListener('scroll', later, {passive: true});
    new ResizeObserver(later).observe(this.scroller);
    this.body.addEventListener('keydown', event => this.onKey(event));
    this.body.addEventListener('focusin', event => {
      const row = event.target.closest('[role=row]');
      if (row)
        this.setFocus(Number(row.dataset.at), false);
    });
  }

  get height() {
    return parseFloat(getComputedStyle(this.grid)
      .getPropertyValue('--row')) || 44;
  }

  /** `keep`: those that were there before are, at the same places. */
  set(entries, {keep, more} = {}) {
    this.entries = entries;
    if (!keep) {
      if (this.shown.size > 0)
        this.scroller.scrollTop = 0;
      this.focus = 0;
    }
    this.focus = Math.max(0, Math.min(this.focus, entries.length - 1));
    this.grid.setAttribute('aria-rowcount',
      more ? '-1' : String(entries.length + 1));
    this.again(keep);
  }

  /** Draws every row anew, but for the focus. */
  again(keep = true) {
    const had = keep && this.body.contains(document.activeElement);
    this.body.replaceChildren();
    this.shown.clear();
    this.draw();
    if (had)
      this.setFocus(this.focus, true);
  }

  draw() {
    if (this.entries.length === 0) { // no layout is needed to know that
      this.body.style.height = '0';
      this.act.near();
      return;
    }
    const {height, scroller, entries} = this;
    if (height !== this.drawn) { // the window is another size
      this.drawn = height;
      this.again();
      return;
    }
    const top = scroller.scrollTop;
    const first = Math.max(0, Math.floor(top / height) - SPARE);
    const last = Math.min(entries.length,
      Math.ceil((top + scroller.clientHeight) / height) + SPARE);
    this.body.style.height = `${entries.length * height}px`;
    for (const [at, row] of this.shown)
      if ((at < first || at >= last) && !row.contains(document.activeElement)) {
        row.remove();
        this.shown.delete(at);
      }
    let before = null;
    for (let at = first; at < last; at++) {
      let row = this.shown.get(at);
      if (!row) {
        row = this.make(entries[at], at);
        row.dataset.at = at;
        row.setAttribute('aria-rowindex', at + 2);
        row.tabIndex = at === this.focus ? 0 : -1;
        row.style.transform = `translateY(${at * height}px)`;
        this.shown.set(at, row);
        if (before)
          before.after(row);
        else
          this.body.prepend(row);
      }
      before = row;
    }
    if (last > entries.length - 200)
      this.act.near();
  }

  setFocus(at, move) {
    if (at < 0 || at >= this.entries.length)
      return;
    this.shown.get(this.focus)?.setAttribute('tabindex', '-1');
    this.focus = at;
    if (move) {
      const {height, scroller} = this;
      const head = this.grid.firstElementChild.offsetHeight;
      const top = at * height;
      if (top < scroller.scrollTop)
        scroller.scrollTop = top;
      else if (top + height > scroller.scrollTop + scroller.clientHeight - head)
        scroller.scrollTop = top + height + head - scroller.clientHeight;
      this.draw();
    }
    const row = this.shown.get(at);
    row?.setAttribute('tabindex', '0');
    if (move)
      row?.focus({preventScroll: true});
  }

  onKey(event) {
    if (event.target.closest('input, [role=menu]') && event.key !== 'Escape' &&
        !event.key.startsWith('Arrow'))
      return;
    const page = Math.floor(this.scroller.clientHeight / this.height) - 1;
    const next = {ArrowDown: this.focus + 1, ArrowUp: this.focus - 1,
      Home: 0, End: this.entries.length - 1,
      PageDown: Math.min(this.focus + page, this.entries.length - 1),
      PageUp: Math.max(this.focus - page, 0)}[event.key];
    if (next !== undefined && !event.altKey && !event.ctrlKey) {
      event.preventDefault();
      this.setFocus(next, true);
      if (event.shiftKey)
        this.act.toggle(this.entries[this.focus], true);
    } else if (event.target.matches('[role=row]')) {
      this.act.key(event, this.entries[this.focus]);
    }
  }
}
