// SPDX-License-Identifier: MIT
//
// The way of one file to the gateway.  A small one is one PUT under its name;
// a large one is a resumable upload, which is then moved to its name.  Its
// address is kept in this browser, so that the same file goes on after a
// reload.
import {credential, pause, refusalOf, Refusal, renew, request, sendsCookies,
  turnNow, worked} from './api.js';
import {folderOf, nameOf, size} from './format.js';
import {urlOf} from './route.js';
import {t} from './words.js';

export const SMALL = 4 << 20; // bytes; up to here nothing is gained by parts
const PIECE_MIN = 1 << 20;    // bytes, where a proxy takes no large bodies
const STALL = 60000;          // ms without a byte, while there are some to send
const ATTEMPTS = 12;          // without a byte more, then a person has to say
const STORE = 'sluice.uploads';

// ---- what goes on after a reload ------------------------------------------

function records() {
  try {
    const all = JSON.parse(localStorage.getItem(STORE) ?? '{}');
    return Object.fromEntries(Object.entries(all)
      .filter(([, one]) => one.until > Date.now()));
  } catch {
    return {};
  }
}

function write(change) {
  try {
    const all = records();
    change(all);
    localStorage.setItem(STORE, JSON.stringify(all));
  } catch {
    // a browser that keeps nothing: uploads go on until the tab is closed
  }
}

const nameFor = task => [task.mount, task.key, task.size,
  task.file?.lastModified ?? task.modified].join('\n');

export const remember = (task, record) => write(all =>
  all[nameFor(task)] = {...record, mount: task.mount, key: task.key,
    size: task.size, modified: task.file.lastModified});
export const forget = task => write(all => delete all[nameFor(task)]);
export const remembered = task => records()[nameFor(task)];
export const unfinished = () => Object.values(records());

// ---- one request with a body ----------------------------------------------

/** Sends it and tells of its progress.  401 asks the reader, and is 0 as a
 * broken line is, so that the caller looks where it stands. */
function send({method, url, headers, body, progress, signal}) {
  return new Promise((resolve, reject) => {
    const turn = turnNow();
    const call = new XMLHttpRequest();
    const stop = () => call.abort();
    let stalled = false, timer;
    const over = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
    };
    const alive = left => {
      clearTimeout(timer);
      if (left > 0)
        timer = setTimeout(() => { stalled = true; call.abort(); }, STALL);
    };
    call.open(method, url);
    call.withCredentials = sendsCookies();
    for (const [name, value] of Object.entries(headers))
      call.setRequestHeader(name, value);
    if (credential())
      call.setRequestHeader('Authorization', credential());
    call.upload.onprogress = event => {
      alive(event.total - event.loaded);
      progress?.(event.loaded);
    };
    call.onload = async () => {
      over();
      const challenge = call.getResponseHeader('WWW-Authenticate') ?? '';
      if (call.status >= 200 && call.status < 300) {
        worked(turn);
        resolve({status: call.status, text: call.responseText,
          header: name => call.getResponseHeader(name)});
      } else if (call.status === 401 && await renew(turn, challenge)) {
        reject(new Refusal(0, 'again', ''));
      } else {
        reject(refusalOf(call.status, call.responseText, challenge));
      }
    };
    call.onerror = () => { over(); reject(refusalOf(0, '')); };
    call.onabort = () => { over();
      reject(stalled ? refusalOf(0, '') :
        new DOMException('', 'AbortError')); };
    signal.addEventListener('abort', stop);
    if (signal.aborted) {
      stop();
    } else {
      alive(body?.size ?? 0);
      call.send(body);
    }
  });
}

const PASSING = new Set([0, 408, 409, 425, 429, 502, 503, 504]);

/** Runs `once` until it is done; where it fails in passing it is run again,
 * sooner where the line comes back.  Bytes that came through begin the count
 * anew. */
async function persist(task, once) {
  for (let attempt = 0; ; ) {
    const before = task.sent;
    try {
      return await once(attempt);
    } catch (error) {
      if (error.name === 'AbortError' || !PASSING.has(error.status) ||
          error.code === 'object_exists' || error.code === 'unsure')
        throw error;
      if (error.code === 'again')
        continue;
      attempt = task.sent > before ? 1 : attempt + 1;
      if (attempt > ATTEMPTS)
        throw error;
      const wait = Math.min(30000, 500 * 2 ** attempt) *
        (0.75 + Math.random() / 2);
      task.waits(error, wait);
      await Promise.race([pause(wait), new Promise(done =>
        addEventListener('online', done, {once: true}))]);
      task.signal.throwIfAborted();
      task.waits(null);
    }
  }
}

// ---- what is known before a byte is sent -----------------------------------

const limitOf = (text, name) =>
  Number(new RegExp(`${name}=(\\d+)`).exec(text ?? '')?.[1] ?? NaN);

const largest = new Map(); // by mount: bytes of a file, or NaN

/** 413 for a file that is larger than any may be. */
async function checkSize(task) {
  if (!largest.has(task.mount))
    largest.set(task.mount, request(task.mount, '/uploads',
      {method: 'OPTIONS'}).then(({headers}) =>
      limitOf(headers.get('Upload-Limit'), 'max-size'), () => NaN));
  const most = await largest.get(task.mount);
  if (!(task.size > most))
    return;
  largest.delete(task.mount); // it may have grown when it is tried again
  throw new Refusal(413, 'too_large', t('refused.largerThan',
    {size: size(most)}));
}

// ---- small files -----------------------------------------------------------

/** After an answer that was lost: is the object that is there ours? */
async function isOurs(task, since) {
  const {headers} = await request(task.mount, '/object', {method: 'HEAD',
    query: {key: task.key}, signal: task.signal, tries: 3});
  return Number(headers.get('Content-Length')) === task.size &&
    Date.parse(headers.get('Last-Modified')) >= since - 2000;
}

async function putWhole(task) {
  const began = Date.now();
  const headers = {'Content-Type': task.file.type ||
    'application/octet-stream'};
  if (!task.replace)
    headers['If-None-Match'] = '*';
  const answer = await persist(task, async attempt => {
    try {
      return await send({method: 'PUT', headers, body: task.file,
        url: urlOf(task.mount, '/object', {key: task.key}),
        signal: task.signal, progress: sent => task.moved(sent)});
    } catch (error) {
      if (error.status === 412 && attempt > 0 && await isOurs(task, began))
        return null;
      if (error.status === 412)
        throw new Refusal(409, 'object_exists', t('refused.exists'));
      task.moved(0);
      throw error;
    }
  });
  task.moved(task.size);
  return answer && JSON.parse(answer.text).key || task.key;
}

// ---- large ones ------------------------------------------------------------

/** 409 where an object is there already, before a byte is sent. */
async function lookFirst(task) {
  if (task.replace)
    return;
  try {
    await request(task.mount, '/object', {method: 'HEAD',
      query: {key: task.key}, signal: task.signal, tries: 4});
  } catch (error) {
    if (error.status === 404 || error.status === 403)
      return;
    throw error;
  }
  throw new Refusal(409, 'object_exists', t('refused.exists'));
}

async function create(task) {
  const answer = await persist(task, () => send({method: 'POST',
    url: urlOf(task.mount, '/uploads', {filename: nameOf(task.key),
      prefix: folderOf(task.key).replace(/\/$/, '') || undefined}),
    headers: {'Upload-Complete': '?0', 'Upload-Length': String(task.size),
      'Content-Type': task.file.type || 'application/octet-stream'},
    body: null, signal: task.signal}));
  const age = limitOf(answer.header('Upload-Limit'), 'max-age') || 86400;
  const record = {url: new URL(answer.header('Location'), location.href).href,
    until: Date.now() + age * 1000};
  remember(task, record);
  return record;
}

/** Asks how far it is: {offset}, or {key} of one that is complete; null: the
 * gateway has forgotten it. */
async function stateOf(task, record) {
  const url = new URL(record.url);
  if (url.origin !== location.origin)
    return null;
  const path = url.pathname;
  try {
    const found = await (await request('', path.slice(urlOf('', '')
      .pathname.length), {signal: task.signal, tries: 5})).json();
    return found.complete ? {key: found.object?.key ?? null} :
      {offset: found.offset};
  } catch (error) {
    if (error.status === 404 || error.status === 410)
      return null;
    throw error;
  }
}

async function append(task, record, offset) {
  const end = Math.min(task.size, offset + (task.piece ?? Infinity));
  const last = end === task.size;
  const answer = await send({method: 'PATCH', url: record.url,
    headers: {'Content-Type': 'application/partial-upload',
      'Upload-Offset': String(offset), 'Upload-Complete': last ? '?1' : '?0'},
    body: task.file.slice(offset, end, 'application/partial-upload'),
    signal: task.signal, progress: sent => task.moved(offset + sent)});
  return last ? {key: JSON.parse(answer.text).key} : {offset: end};
}

/** A proxy's own 413 says nothing of the file: smaller pieces may pass. */
function smaller(task, error) {
  if (error.status !== 413 || error.code !== '')
    return false;
  task.piece = Math.floor(Math.min(task.piece ?? Infinity, task.size) / 4);
  return task.piece >= PIECE_MIN;
}

async function sendRest(task, record, state) {
  return persist(task, async attempt => {
    if (attempt > 0)
      state = null;
    state ??= await stateOf(task, record);
    if (state === null) {
      forget(task);
      throw new Refusal(410, 'forgotten', t('refused.forgotten'));
    }
    while (state.key === undefined) {
      task.moved(state.offset);
      try {
        state = await append(task, record, state.offset);
      } catch (error) {
        state = null;
        if (!smaller(task, error))
          throw error;
        state = await stateOf(task, record);
      }
    }
    return state.key;
  });
}

/** To its name.  One that another has meanwhile is told; where the storage
 * can't do that, it stays under the key that it has. */
async function settle(task, from) {
  if (from === task.key)
    return from;
  try {
    await persist(task, async attempt => {
      try {
        await request(task.mount, '/move', {method: 'POST',
          signal: task.signal,
          json: {from, to: task.key, replace: Boolean(task.replace)}});
      } catch (error) {
        // Its answer was lost, and it is done.
        if (!(attempt > 0 && error.status === 404))
          throw error;
      }
    });
    return task.key;
  } catch (error) {
    if (error.status !== 501 && error.status !== 403)
      throw error;
    task.note = t('upload.elsewhere', {key: from});
    return from;
  }
}

async function putResumable(task) {
  let record = remembered(task);
  let state = record?.at ? {key: record.at} :
    record ? await stateOf(task, record) : null;
  if (!state) {
    await lookFirst(task);
    record = await create(task);
    state = {offset: 0};
  }
  const from = await sendRest(task, record, state);
  task.moved(task.size);
  if (from === null)
    return task.key;
  remember(task, {...record, at: from});
  const key = await settle(task, from);
  forget(task);
  return key;
}

/** Resolves to the key that it has in the end. */
export async function transfer(task) {
  await checkSize(task);
  if (task.size <= SMALL)
    try {
      return await putWhole(task);
    } catch (error) {
      if (error.status !== 501)
        throw error;
      task.dated = true; // no conditional writes here
    }
  try {
    return await putResumable(task);
  } catch (error) {
    if (error.status === 410 && !task.anew) {
      task.anew = true;
      return transfer(task);
    }
    if (error.status !== 501)
      throw error;
  }
  // No uploads in several requests here: all at once, under a key of its own.
  const answer = await persist(task, () => send({method: 'POST',
    url: urlOf(task.mount, '/uploads', {filename: nameOf(task.key),
      prefix: folderOf(task.key).replace(/\/$/, '') || undefined}),
    headers: {'Content-Type': task.file.type || 'application/octet-stream',
      'Idempotency-Key': task.id},
    body: task.file, signal: task.signal,
    progress: sent => task.moved(sent)}));
  return settle(task, JSON.parse(answer.text).key);
}

/** The gateway forgets one that isn't wanted any more. */
export async function abandon(task) {
  const record = remembered(task);
  forget(task);
  if (record && !record.at)
    await request('', new URL(record.url).pathname
      .slice(urlOf('', '').pathname.length), {method: 'DELETE'})
      .catch(() => {}); // it expires by itself
}
