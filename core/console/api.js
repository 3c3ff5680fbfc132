// SPDX-License-Identifier: MIT
//
// Requests to the gateway: with the reader's credentials, again where that
// helps, and with a sign-in in the middle.
import {urlOf} from './route.js';
import {t, TABLES} from './words.js';

/** An answer that isn't the one that was asked for. */
export class Refusal extends Error {
  constructor(status, code, message, challenge = '') {
    super(message);
    Object.assign(this, {status, code, challenge});
  }
}

export const events = new EventTarget();
export function tell(type, detail) {
  events.dispatchEvent(new CustomEvent(type, {detail}));
}

const state = {
  header: null,  // of Authorization
  cookies: false, // a proxy in front knows the reader by those
  turn: 0,       // of sign-ins
  good: null,    // the turn whose credential the gateway took
  signIn: null,  // async challenge => true where there is something new
  asking: null,
};

export function useSignIn(signIn) {
  state.signIn = signIn;
}
export function setCredential(header) {
  state.header = header;
  state.turn++;
}
/** A request of that turn succeeded. */
export function worked(turn) {
  if (turn === state.turn)
    state.good = turn;
}
/** A credential that never was any good isn't worth a newer one. */
export const hasWorked = () => state.good === state.turn;
export const isSignedIn = () => state.header !== null;
export const credential = () => state.header;

export const pause = ms => new Promise(done => setTimeout(done, ms));

/** After a 401: true where the request is worth another try.  All that wait
 * at the same time wait for one dialog. */
export async function renew(turn, challenge) {
  if (turn !== state.turn)
    return true;
  if (!state.header && !state.cookies && !/basic/i.test(challenge)) {
    state.cookies = true;
    return true;
  }
  state.asking ??= state.signIn(challenge).finally(() => state.asking = null);
  return state.asking;
}

export function withCredential(headers) {
  return state.header ? {...headers, Authorization: state.header} : headers;
}
export const turnNow = () => state.turn;
export const sendsCookies = () => state.cookies;

const WORDS = {0: 'broken', 401: 'unauthorized', 403: 'forbidden',
  404: 'gone', 413: 'tooLarge', 429: 'busy', 501: 'notOffered',
  502: 'storageAway', 503: 'busy', 504: 'storageAway', 507: 'full'};

/** A person's words for an answer; the gateway's own where we have none. */
export function refusalOf(status, body, challenge) {
  let json = {};
  try {
    json = JSON.parse(body);
  } catch {
    // a proxy's page, or nothing
  }
  if (json.code === 'object_exists')
    return new Refusal(status, json.code, t('refused.exists'));
  const word = WORDS[status];
  const own = typeof json.error === 'string' ? json.error : '';
  const text = word ? t(`refused.${word}`) :
    own || t('refused.other', {status});
  const news = own && ![401, 404].includes(status) && word &&
    `${own}.` !== TABLES.en[`refused.${word}`];
  const detail = news ? ` (${own})` : '';
  return new Refusal(status, json.code ?? '', text + detail, challenge);
}

const AGAIN = new Set([429, 502, 503, 504]);

/** fetch() below a mount.  What only reads is asked again, a few times, where
 * the line broke or the gateway is busy. */
export async function request(mount, path, {method = 'GET', query, json,
  headers = {}, signal, keepalive, tries = method === 'GET' ? 4 : 1} = {}) {
  const url = urlOf(mount, path, query);
  for (let attempt = 1; ; attempt++) {
    const {turn} = state;
    let answer, refusal;
    try {
      answer = await fetch(url, {
        method, signal, keepalive, redirect: 'error', cache: 'no-store',
        credentials: state.cookies ? 'same-origin' : 'omit',
        referrerPolicy: 'no-referrer',
        headers: withCredential(json === undefined ? headers :
          {'Content-Type': 'application/json', ...headers}),
        body: json === undefined ? undefined : JSON.stringify(json)});
    } catch (error) {
      if (error.name === 'AbortError')
        throw error;
      refusal = refusalOf(0, '');
    }
    if (answer?.ok) {
      worked(turn);
      return answer;
    }
    if (answer)
      refusal = refusalOf(answer.status, await answer.text().catch(() => ''),
        answer.headers.get('WWW-Authenticate') ?? '');
    if (refusal.status === 401) {
      if (await renew(turn, refusal.challenge)) {
        attempt--;
        continue;
      }
      throw refusal;
    }
    if (attempt >= tries || (answer && !AGAIN.has(answer.status)))
      throw refusal;
    const told = Number(answer?.headers.get('Retry-After'));
    await pause(Math.min(told > 0 ? told * 1000 : 8000, 400 * 2 ** attempt));
    signal?.throwIfAborted();
  }
}

export async function ask(mount, path, options) {
  return (await request(mount, path, options)).json();
}

export function listPage(mount, prefix, {cursor, limit = 1000, folded = true,
  signal} = {}) {
  return ask(mount, '', {signal, query: {prefix, limit, cursor,
    delimiter: folded ? '/' : undefined}});
}

export function presign(mount, wish) {
  return ask(mount, '/presign', {method: 'POST', json: wish});
}

/** A link that a browser's own requests can follow, which carry no token;
 * null where the reader may not make one. */
export async function linkFor(mount, key, more) {
  if (!state.header)
    return urlOf(mount, '/download', {key,
      inline: more?.inline ? 'true' : undefined}).href;
  try {
    const made = await presign(mount, {key, via: 'gateway', expires: 3600,
      ...more});
    // The page's policy knows its own origin, whatever others call it.
    return urlOf(mount, '/signed').href + new URL(made.url, location.href)
      .search;
  } catch (error) {
    if (error.status === 403 || error.status === 501)
      return null;
    throw error;
  }
}
