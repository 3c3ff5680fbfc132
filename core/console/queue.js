// SPDX-License-Identifier: MIT
//
// The uploads of this page: some run at a time, the others wait; each can be
// paused, and goes on, or is tried again.
import {tell} from './api.js';
import {nameOf} from './format.js';
import {abandon, forget, remember, remembered, SMALL, transfer, unfinished}
  from './transfer.js';
import {t} from './words.js';

const AT_ONCE = 3;
const STEADY = 4000; // ms over which a speed is told

export const queue = new EventTarget();
export const tasks = [];

function changed() {
  queue.dispatchEvent(new Event('change'));
}

class Speed {
  constructor() {
    this.marks = [];
  }

  add(bytes) {
    const now = performance.now();
    this.marks.push([now, bytes]);
    while (this.marks.length > 2 && now - this.marks[0][0] > STEADY)
      this.marks.shift();
  }

  /** Bytes a second, lately. */
  get rate() {
    if (this.marks.length < 2)
      return 0;
    const [[from, first]] = this.marks;
    const [to, last] = this.marks.at(-1);
    const now = performance.now();
    return Math.max(0, (last - first) / (Math.max(to, now - 500) - from) *
      1000);
  }
}

let numbers = 0;

/** state: waiting, running, paused, asked, failed, done, or away: its file has
 * to be chosen again. */
class Task {
  constructor(mount, key, file, record) {
    Object.assign(this, {mount, key, file, size: file?.size ?? record.size,
      modified: record?.modified, state: file ? 'waiting' : 'away', sent: 0,
      speed: new Speed(), why: '', note: '',
      id: `${Date.now().toString(36)}-${++numbers}-` +
        Math.random().toString(36).slice(2)});
  }

  get name() {
    return nameOf(this.key);
  }

  moved(sent) {
    this.sent = sent;
    this.speed.add(sent);
    changed();
  }

  waits(error) {
    this.why = error ? t('upload.waits', {why: error.message}) : '';
    changed();
  }

  async run() {
    this.stop = new AbortController();
    this.signal = this.stop.signal;
    this.become('running');
    try {
      const key = await transfer(this);
      this.become('done');
      this.key = key;
      tell('stored', {mount: this.mount, key, size: this.size});
    } catch (error) {
      if (error.name === 'AbortError')
        this.become(this.state === 'running' ? 'paused' : this.state);
      else if (error.code === 'object_exists')
        this.become('asked', error.message);
      else
        this.become('failed', error.message);
    }
    next();
  }

  become(state, why = '') {
    Object.assign(this, {state, why});
    if (state !== 'running')
      this.speed = new Speed();
    changed();
  }

  pause() {
    const running = this.state === 'running';
    this.become('paused');
    if (running)
      this.stop.abort();
    next();
  }

  resume() {
    this.become('waiting');
    next();
  }

  cancel() {
    const running = this.state === 'running';
    this.become('canceled');
    tasks.splice(tasks.indexOf(this), 1);
    if (running)
      this.stop.abort();
    abandon(this);
    changed();
    next();
  }

  /** Another object has its name. */
  answer(how) {
    if (how === 'skip') {
      this.cancel();
      return;
    }
    if (how === 'replace')
      this.replace = true;
    else
      this.rename();
    this.resume();
  }

  /** "a.txt" is "a (2).txt", then "a (3).txt". */
  rename() {
    const [, stem, number, ending] =
      /^(.*?)(?: \((\d+)\))?((?:\.[^./]{1,12})?)$/s.exec(this.key);
    const record = remembered(this);
    forget(this);
    this.key = `${stem} (${Number(number ?? 1) + 1})${ending}`;
    if (record)
      remember(this, record);
  }
}

function next() {
  const running = tasks.filter(task => task.state === 'running');
  let large = running.filter(task => task.size > SMALL).length;
  let room = AT_ONCE - running.length;
  for (const task of tasks) {
    if (room <= 0)
      break;
    if (task.state !== 'waiting' || (task.size > SMALL && large >= 2))
      continue;
    room--;
    large += task.size > SMALL ? 1 : 0;
    task.run();
  }
  changed();
}

/** Adds files: [{file, path}], whose path is below the prefix. */
export function enqueue(mount, prefix, files) {
  for (const {file, path} of files) {
    const key = prefix + path;
    const again = tasks.find(task => task.mount === mount &&
      task.key === key && task.size === file.size &&
      !['done', 'failed'].includes(task.state));
    if (again?.state === 'away') {
      again.file = file;
      again.become('waiting');
    } else if (!again) {
      tasks.push(new Task(mount, key, file));
    }
  }
  next();
}

/** The file of an upload that a reload has broken off: only the same one. */
export function chooseAgain(task, file) {
  if (file.size !== task.size || file.lastModified !== task.modified)
    return false;
  task.file = file;
  task.resume();
  return true;
}

/** Those of earlier visits, which wait for their files. */
export function recall() {
  for (const record of unfinished())
    if (!tasks.some(task => task.key === record.key &&
        task.mount === record.mount && remembered(task)))
      tasks.push(new Task(record.mount, record.key, null, record));
  changed();
}

export function forAll(act) {
  [...tasks].forEach(act);
}

export const isBusy = () => tasks.some(task =>
  ['running', 'waiting'].includes(task.state));

export function clearDone() {
  for (const task of tasks.filter(one => one.state === 'done'))
    tasks.splice(tasks.indexOf(task), 1);
  changed();
}

// ---- files from where people have them -------------------------------------

function ofEntry(entry, path) {
  return new Promise((resolve, reject) => {
    if (entry.isFile) {
      entry.file(file => resolve([{file, path: path + file.name}]), reject);
      return;
    }
    const reader = entry.createReader();
    const all = [];
    const read = () => reader.readEntries(async entries => {
      if (entries.length > 0) {
        all.push(...entries);
        read();
        return;
      }
      const files = [];
      for (const one of all)
        files.push(...await ofEntry(one, `${path}${entry.name}/`));
      resolve(files);
    }, reject);
    read();
  });
}

/** Files, and all below folders, of a drop. */
export async function ofDrop(transfer_) {
  const entries = [...transfer_.items].filter(item => item.kind === 'file')
    .map(item => item.webkitGetAsEntry?.() ?? item.getAsFile());
  const files = [];
  for (const entry of entries.filter(Boolean))
    if (entry instanceof File)
      files.push({file: entry, path: entry.name});
    else
      files.push(...await ofEntry(entry, ''));
  return files;
}

export const ofInput = files => [...files].map(file =>
  ({file, path: file.webkitRelativePath || file.name}));
