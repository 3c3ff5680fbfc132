// SPDX-License-Identifier: MIT
//
// OpenID Connect: the code flow with PKCE (RFC 7636), without a secret, by
// redirection; or in a window of its own, where the page has something to
// lose.  The access token is what the gateway is then shown.
import {client, issuer, scope} from './route.js';
import {t} from './words.js';

const STORE = 'sluice.oidc';
const CHANNEL = 'sluice.oidc'; // between windows: their opener is cut off
const PATIENCE = 2000; // ms in which the page that waits takes an answer

const base64url = bytes => btoa(String.fromCharCode(...bytes))
  .replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');

function secret() {
  return base64url(crypto.getRandomValues(new Uint8Array(32)));
}

const redirect = () => new URL('.', document.baseURI).href;
const broken = () => new Error(t('oidc.broken'));

/** PKCE needs SHA-256, which browsers keep for safe origins. */
export const offered = () => issuer !== '' && Boolean(crypto.subtle);

/** The issuer's answer, or the words for one that it didn't give. */
async function askIssuer(url, options) {
  try {
    const answer = await fetch(url, {...options, credentials: 'omit',
      referrerPolicy: 'no-referrer', cache: 'no-store'});
    return answer.ok ? await answer.json() : {};
  } catch {
    throw broken();
  }
}

async function discover() {
  const found = await askIssuer(`${issuer}/.well-known/openid-configuration`);
  const same = String(found.issuer ?? '').replace(/\/$/, '') === issuer;
  if (!same || !found.authorization_endpoint || !found.token_endpoint)
    throw broken();
  return found;
}

/** {url, kept}: where the reader goes, and what is needed at the return. */
async function prepare(keep) {
  const found = await discover();
  const kept = {verifier: secret(), state: secret(), nonce: secret(), keep,
    hash: location.hash, token: found.token_endpoint, issuer: found.issuer};
  const sum = await crypto.subtle.digest('SHA-256',
    new TextEncoder().encode(kept.verifier));
  const url = new URL(found.authorization_endpoint);
  if (!/^https?:$/.test(url.protocol))
    throw broken();
  for (const [name, value] of Object.entries({
    response_type: 'code', client_id: client, redirect_uri: redirect(),
    scope, state: kept.state, nonce: kept.nonce,
    code_challenge_method: 'S256',
    code_challenge: base64url(new Uint8Array(sum))}))
    url.searchParams.set(name, value);
  return {url: url.href, kept};
}

/** Is the ID token, where there is one, of this sign-in?  It came from the
 * issuer itself, so that its signature says nothing more. */
function isOfNonce(idToken, nonce) {
  if (typeof idToken !== 'string')
    return true; // plain OAuth, which has none
  try {
    const [, claims] = idToken.split('.');
    return JSON.parse(atob(claims.replaceAll('-', '+')
      .replaceAll('_', '/'))).nonce === nonce;
  } catch {
    return false;
  }
}

async function askToken(endpoint, fields) {
  const got = await askIssuer(endpoint, {method: 'POST',
    body: new URLSearchParams({client_id: client, ...fields})});
  if (!/^[\x21-\x7e]+$/.test(got.access_token ?? ''))
    throw broken();
  return got;
}

/** The tokens for the answer that the reader came back with: {token, refresh,
 * endpoint, keep}. */
async function take(kept, told) {
  if ((told.get('iss') ?? kept.issuer) !== kept.issuer)
    throw broken();
  if (!told.has('code'))
    throw new Error(told.get('error_description') ?? told.get('error') ??
      t('oidc.broken'));
  const got = await askToken(kept.token, {grant_type: 'authorization_code',
    code: told.get('code'), redirect_uri: redirect(),
    code_verifier: kept.verifier});
  if (!isOfNonce(got.id_token, kept.nonce))
    throw broken();
  return {token: got.access_token, refresh: got.refresh_token,
    endpoint: kept.token, keep: kept.keep};
}

/** Leaves the page for the issuer's, which comes back to it. */
export async function begin(keep) {
  const {url, kept} = await prepare(keep);
  sessionStorage.setItem(STORE, JSON.stringify(kept));
  location.assign(url);
}

/** Signs in in another window, while this page stays as it is.  A dialog is
 * closed before its event says so, and then no window is opened. */
export async function beginBeside(keep, signal, isWanted) {
  const {url, kept} = await prepare(keep);
  signal.throwIfAborted();
  if (!isWanted())
    throw new DOMException('given up', 'AbortError');
  const channel = new BroadcastChannel(CHANNEL);
  try {
    const told = await new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
      channel.onmessage = ({data}) => {
        const answer = new URLSearchParams(data.answer ?? '');
        if (answer.get('state') !== kept.state)
          return;
        channel.postMessage({taken: kept.state});
        resolve(answer);
      };
      if (!window.open(url, '_blank', 'popup,width=520,height=680'))
        reject(new Error(t('oidc.blocked')));
    });
    return await take(kept, told);
  } finally {
    channel.close();
  }
}

/** Gives the answer to the page that waits for it; false: none does. */
async function handOver(told) {
  const channel = new BroadcastChannel(CHANNEL);
  const taken = await new Promise(resolve => {
    channel.onmessage = ({data}) => data.taken === told.get('state') &&
      resolve(true);
    setTimeout(resolve, PATIENCE, false);
    channel.postMessage({answer: told.toString()});
  });
  channel.close();
  return taken;
}

function kept() {
  try {
    return JSON.parse(sessionStorage.getItem(STORE) ?? '{}');
  } catch {
    return {};
  }
}

// The address bar and the history don't keep it, whatever comes of it.
const told = new URLSearchParams(location.search);
const mine = told.has('state') ? kept() : {};
if (told.has('state')) {
  history.replaceState(null, '', redirect() + (mine.hash ?? ''));
  sessionStorage.removeItem(STORE);
}

/** Ends the visit to the issuer: as take(); {elsewhere: true} where another
 * window goes on with it; null where this is no such visit. */
export async function finish() {
  if (!told.has('state'))
    return null;
  if (mine.state === told.get('state'))
    return take(mine, told);
  if (await handOver(told))
    return {elsewhere: true};
  throw broken();
}

/** A newer token, by the refresh token of the last one; null: none is had. */
export async function refresh(last) {
  if (!last?.refresh)
    return null;
  try {
    const got = await askToken(last.endpoint, {grant_type: 'refresh_token',
      refresh_token: last.refresh});
    return {...last, token: got.access_token,
      refresh: got.refresh_token ?? last.refresh};
  } catch {
    return null;
  }
}
