// SPDX-License-Identifier: MIT
//
// Objects downloaded, renamed, moved, copied and deleted by a reader.  A folder
// is all objects below it.
import {ask as askGateway, isSignedIn, linkFor, listPage, request, tell}
  from './api.js';
import {ask, field, h, saveFrom, toast} from './dom.js';
import {folderOf, nameOf, number, size, visible} from './format.js';
import {urlOf} from './route.js';
import {t} from './words.js';

const GRACE = 6000;    // ms in which a delete can be taken back
const FEW = 20;        // so many are deleted with an undo, more with a word
const AT_ONCE = 4;

const post = (mount, path, json, more) =>
  askGateway(mount, path, {method: 'POST', json, ...more});

// ---- download --------------------------------------------------------------

async function saveStream(answer, name) {
  const blob = await answer.blob(); // on the browser's disk where it is large
  const url = URL.createObjectURL(blob);
  saveFrom(url, name);
  setTimeout(() => URL.revokeObjectURL(url), 60000);
}

async function saveOne(mount, key) {
  const url = await linkFor(mount, key);
  if (url)
    saveFrom(url, nameOf(key));
  else
    await saveStream(await request(mount, '/download', {query: {key}}),
      nameOf(key));
}

async function saveMany(mount, entries) {
  const url = urlOf(mount, '/archive');
  for (const {key, folder} of entries)
    url.searchParams.append(folder ? 'prefix' : 'key', key);
  const name = `${entries.length === 1 ? nameOf(entries[0].key) : 'files'}.zip`;
  if (!isSignedIn()) {
    saveFrom(url.href, name);
    return;
  }
  toast(t('archive.comes'));
  await saveStream(await request(mount, `/archive${url.search}`), name);
}

export async function download(mount, entries) {
  try {
    if (entries.length === 1 && !entries[0].folder)
      await saveOne(mount, entries[0].key);
    else
      await saveMany(mount, entries);
  } catch (error) {
    toast(error.message, {bad: true});
  }
}

// ---- rename, move, copy ----------------------------------------------------

/** All objects that the entries stand for, a page at a time: [key, to]. */
async function* objectsOf(mount, entries, place, signal) {
  for (const entry of entries) {
    if (!entry.folder) {
      yield [entry.key, place(entry, entry.key)];
      continue;
    }
    let cursor;
    do {
      const page = await listPage(mount, entry.key,
        {cursor, folded: false, signal});
      for (const {key} of page.objects)
        yield [key, place(entry, key)];
      cursor = page.next_cursor;
    } while (cursor);
  }
}

/** Moves or copies all of them, some at a time; the refusals come back. */
async function carry(mount, path, pairs, replace, progress, signal) {
  const failed = [];
  let done = 0;
  const walk = pairs[Symbol.asyncIterator]();
  const worker = async () => {
    for (let step = await walk.next(); !step.done; step = await walk.next()) {
      const [from, to] = step.value;
      signal.throwIfAborted();
      try {
        if (from !== to) {
          const got = await post(mount, path, {from, to, replace}, {signal});
          tell('stored', {mount, key: to, size: got.size_bytes});
          if (path === '/move')
            tell('gone', {mount, keys: [from]});
        }
      } catch (error) {
        if (error.name === 'AbortError')
          throw error;
        failed.push({key: from, error});
      }
      progress(++done);
    }
  };
  await Promise.all(Array.from({length: AT_ONCE}, worker));
  return {done, failed};
}

/** `move`: else they are copied. */
export async function carryDialog(mount, entries, move) {
  const one = entries.length === 1 ? entries[0] : null;
  const from = folderOf(entries[0].key);
  const where = h('input', {name: 'to', spellcheck: 'false', dir: 'auto',
    autocapitalize: 'none', value: from});
  const replace = h('input', {type: 'checkbox', name: 'replace'});
  const status = h('p', {class: 'about', role: 'status'});
  const stop = new AbortController();
  await ask({
    title: t(move ? 'move.title' : 'copy.title', {n: entries.length,
      name: visible(one ? nameOf(one.key) : ''),
      text: number(entries.length)}),
    yes: t(move ? 'move.yes' : 'copy.yes'),
    body: [field(t('move.to'), where, t('move.toHint')),
      field(t('replace'), replace), status],
    opened(form, dialog) {
      where.focus();
      where.setSelectionRange(from.length, from.length);
      dialog.addEventListener('close', () => stop.abort());
    },
    async accept() {
      const to = where.value.replace(/^\/+/, '').replace(/([^/])$/, '$1/');
      if (to === from)
        throw new Error(t('move.same'));
      if (entries.some(entry => entry.folder && to.startsWith(entry.key)))
        throw new Error(t('move.inside'));
      const pairs = objectsOf(mount, entries, (entry, key) =>
        to + key.slice(folderOf(entry.key).length), stop.signal);
      return finish(await carry(mount, move ? '/move' : '/copy', pairs,
        replace.checked, n => status.textContent = t('progress', {n,
          text: number(n)}), stop.signal), move, mount, entries);
    },
  }).catch(() => {});
}

function finish({done, failed}, move, mount, entries) {
  if (failed.length > 0)
    throw new Error(t('move.failed', {n: failed.length,
      text: number(failed.length), name: visible(nameOf(failed[0].key)),
      why: failed[0].error.message}));
  if (move)
    tell('gone', {mount, keys: entries.map(entry => entry.key)});
  toast(t(move ? 'move.done' : 'copy.done', {n: done, text: number(done)}));
  return true;
}

export async function renameDialog(mount, entry) {
  const old = nameOf(entry.key);
  const folder = folderOf(entry.key);
  const name = h('input', {name: 'name', spellcheck: 'false', dir: 'auto',
    autocapitalize: 'none', value: old});
  const replace = h('input', {type: 'checkbox', name: 'replace'});
  const stop = new AbortController();
  const status = h('p', {class: 'about', role: 'status'});
  await ask({
    title: t('rename.title', {name: visible(old)}), yes: t('rename.yes'),
    body: [field(t('rename.to'), name), field(t('replace'), replace), status],
    opened(form, dialog) {
      const dot = entry.folder ? -1 : old.lastIndexOf('.');
      name.focus();
      name.setSelectionRange(0, dot > 0 ? dot : old.length);
      dialog.addEventListener('close', () => stop.abort());
    },
    async accept() {
      const to = name.value;
      if (to === '' || to.includes('/'))
        throw new Error(t('rename.bad'));
      if (to === old)
        return true;
      const end = entry.folder ? '/' : '';
      const pairs = objectsOf(mount, [entry], (of, key) =>
        folder + to + end + key.slice(of.key.length), stop.signal);
      return finish(await carry(mount, '/move', pairs, replace.checked,
        n => status.textContent = t('progress', {n, text: number(n)}),
        stop.signal), true, mount, [entry]);
    },
  }).catch(() => {});
}

export function newFolderDialog(prefix) {
  const name = h('input', {name: 'name', dir: 'auto', spellcheck: 'false'});
  return ask({
    title: t('folder.title'), yes: t('folder.yes'),
    body: [field(t('folder.name'), name, t('folder.hint'))],
    accept() {
      const clean = name.value.replace(/^\/+|\/+$/g, '');
      if (clean === '' || clean.split('/').includes('') ||
          clean.split('/').some(part => part === '.' || part === '..'))
        throw new Error(t('rename.bad'));
      return `${prefix + clean}/`;
    },
  });
}

// ---- delete ----------------------------------------------------------------

const pending = new Set();

function deleteKeys(mount, keys, keepalive) {
  return post(mount, '/delete', {keys}, {keepalive});
}

/** A few objects: out of sight at once, and gone when nobody took it back. */
function removeSoon(browse, entries) {
  const {mount} = browse;
  const keys = entries.map(entry => entry.key);
  browse.hide(entries, true);
  const job = {mount, keys};
  const settle = async () => {
    if (!pending.delete(job))
      return;
    close();
    try {
      const {failed} = await deleteKeys(mount, keys);
      const bad = new Map(failed.map(one => [one.key, one]));
      browse.hide(entries.filter(entry => bad.has(entry.key)), false);
      tell('gone', {mount, keys: keys.filter(key => !bad.has(key))});
      if (failed.length > 0)
        toast(t('remove.failed', {name: visible(nameOf(failed[0].key)),
          why: failed[0].error}), {bad: true});
    } catch (error) {
      browse.hide(entries, false);
      toast(error.message, {bad: true});
    }
  };
  pending.add(job);
  const timer = setTimeout(settle, GRACE);
  const close = toast(t('remove.done', {n: keys.length,
    text: number(keys.length), name: visible(nameOf(keys[0]))}), {
    label: t('undo'), keep: GRACE + 500, act() {
      clearTimeout(timer);
      pending.delete(job);
      browse.hide(entries, false);
    }});
}

/** The page is left: what nobody took back is done now. */
addEventListener('pagehide', () => {
  for (const {mount, keys} of pending)
    deleteKeys(mount, keys, true).catch(() => {});
  pending.clear();
});

async function countBelow(mount, folders) {
  let count = 0, bytes = 0, more = false;
  for (const {key} of folders) {
    const got = await post(mount, '/delete', {prefix: key, dry_run: true});
    count += got.deleted;
    bytes += got.size_bytes;
    more ||= got.truncated;
  }
  return {count, bytes, more};
}

async function removeFolder(mount, prefix, progress, signal) {
  let got;
  do {
    got = await post(mount, '/delete', {prefix}, {signal});
    progress(got.deleted);
    if (got.failed.length > 0)
      throw new Error(t('remove.failed', {
        name: visible(nameOf(got.failed[0].key)), why: got.failed[0].error}));
  } while (got.truncated);
}

async function removeMany(browse, entries) {
  const {mount} = browse;
  const folders = entries.filter(entry => entry.folder);
  const keys = entries.filter(entry => !entry.folder)
    .map(entry => entry.key);
  const below = await countBelow(mount, folders);
  const count = below.count + keys.length;
  const word = below.more ? `${number(count)}+` : number(count);
  const stop = new AbortController();
  const status = h('p', {class: 'about', role: 'status'});
  const typed = h('input', {name: 'typed', autocomplete: 'off',
    inputmode: 'numeric'});
  const digits = text => text.replace(/\D/g, '');
  await ask({
    title: t('remove.title', {n: count, text: word}), danger: true,
    yes: t('remove.yes'),
    body: [h('p', {}, t('remove.for'), ' ', folders.length > 0 ?
      t('remove.below', {n: folders.length, text: number(folders.length),
        name: visible(nameOf(folders[0].key)), size: size(below.bytes)}) :
      ''), field(t('remove.type', {text: String(count)}), typed), status],
    opened: (form, dialog) =>
      dialog.addEventListener('close', () => stop.abort()),
    async accept() {
      if (digits(typed.value) !== String(count))
        throw new Error(t('remove.typeIt', {text: String(count)}));
      let done = 0;
      const progress = n => status.textContent = t('progress',
        {n: done += n, text: number(done)});
      for (let at = 0; at < keys.length; at += 1000) {
        const {deleted, failed} = await deleteKeys(mount,
          keys.slice(at, at + 1000));
        progress(deleted.length);
        tell('gone', {mount, keys: deleted});
        if (failed.length > 0)
          throw new Error(t('remove.failed', {
            name: visible(nameOf(failed[0].key)), why: failed[0].error}));
      }
      for (const {key} of folders) {
        await removeFolder(mount, key, progress, stop.signal);
        tell('gone', {mount, keys: [key]});
      }
      toast(t('remove.over', {n: done, text: number(done)}));
      return true;
    },
  }).catch(() => {});
}

export async function remove(browse, entries) {
  if (entries.length === 0)
    return;
  if (entries.length <= FEW && !entries.some(entry => entry.folder)) {
    removeSoon(browse, entries);
    return;
  }
  try {
    await removeMany(browse, entries);
  } catch (error) {
    toast(error.message, {bad: true});
  }
}
