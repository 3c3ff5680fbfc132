// SPDX-License-Identifier: MIT
//
// OpenID Connect: the code flow with PKCE (RFC 7636), by redirection, without
// a secret.  The access token is what the gateway is then shown.
import {client, issuer} from './route.js';
import {t} from './words.js';

const STORE = 'sluice.oidc';

const base64url = bytes => btoa(String.fromCharCode(...bytes))
  .replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');

function secret() {
  return base64url(crypto.getRandomValues(new Uint8Array(32)));
}

const redirect = () => new URL('.', document.baseURI).href;

/** PKCE needs SHA-256, which browsers keep for safe origins. */
export const offered = () => issuer !== '' && Boolean(crypto.subtle);

async function discover() {
  const answer = await fetch(`${issuer}/.well-known/openid-configuration`,
    {credentials: 'omit'});
  const found = answer.ok ? await answer.json() : {};
  const same = (found.issuer ?? '').replace(/\/$/, '') === issuer;
  if (!same || !found.authorization_endpoint || !found.token_endpoint)
    throw new Error(t('oidc.broken'));
  return found;
}

/** Leaves the page for the issuer's, which comes back to it. */
export async function begin(keep) {
  const found = await discover();
  const kept = {verifier: secret(), state: secret(), keep,
    hash: location.hash, token: found.token_endpoint};
  const sum = await crypto.subtle.digest('SHA-256',
    new TextEncoder().encode(kept.verifier));
  sessionStorage.setItem(STORE, JSON.stringify(kept));
  const url = new URL(found.authorization_endpoint);
  for (const [name, value] of Object.entries({
    response_type: 'code', client_id: client, redirect_uri: redirect(),
    scope: 'openid', state: kept.state, code_challenge_method: 'S256',
    code_challenge: base64url(new Uint8Array(sum))}))
    url.searchParams.set(name, value);
  location.assign(url);
}

async function askToken(endpoint, fields) {
  const answer = await fetch(endpoint, {method: 'POST', credentials: 'omit',
    body: new URLSearchParams({client_id: client, ...fields})});
  const got = answer.ok ? await answer.json() : {};
  if (!got.access_token)
    throw new Error(t('oidc.broken'));
  return {token: got.access_token, refresh: got.refresh_token, endpoint};
}

/** The answer that the issuer sent the reader back with: {token, refresh,
 * keep}; null where this is no such visit.  The address bar no longer shows it. */
export async function finish() {
  const told = new URLSearchParams(location.search);
  if (!told.has('state'))
    return null;
  const kept = JSON.parse(sessionStorage.getItem(STORE) ?? '{}');
  sessionStorage.removeItem(STORE);
  history.replaceState(null, '', redirect() + (kept.hash ?? ''));
  if (!kept.state || told.get('state') !== kept.state)
    return null;
  if (!told.has('code'))
    throw new Error(told.get('error_description') ?? told.get('error') ??
      t('oidc.broken'));
  const got = await askToken(kept.token, {grant_type: 'authorization_code',
    code: told.get('code'), redirect_uri: redirect(),
    code_verifier: kept.verifier});
  return {...got, keep: kept.keep};
}

/** A newer token, by the refresh token of the last one; null: none is had. */
export async function refresh(last) {
  if (!last?.refresh)
    return null;
  try {
    return {refresh: last.refresh, ...await askToken(last.endpoint,
      {grant_type: 'refresh_token', refresh_token: last.refresh})};
  } catch {
    return null;
  }
}
