// SPDX-License-Identifier: MIT
//
// Signs a reader in.  The credential is in memory; "stay signed in" keeps it
// for this tab, until it is closed.
import {hasWorked, isSignedIn, setCredential, tell, useSignIn} from
  './api.js';
import {ask, button, field, h} from './dom.js';
import * as oidc from './oidc.js';
import {isBusy} from './queue.js';
import {t} from './words.js';

const STORE = 'sluice.session';
let last = null; // of OpenID Connect: {token, refresh, endpoint}

function keep(header, stay) {
  setCredential(header);
  if (stay)
    sessionStorage.setItem(STORE, header);
  else
    sessionStorage.removeItem(STORE);
  tell('signed');
}

export function signOut() {
  sessionStorage.removeItem(STORE);
  last = null;
  setCredential(null);
  tell('signed');
}

const basic = (user, password) => 'Basic ' + btoa(String.fromCharCode(
  ...new TextEncoder().encode(`${user}:${password}`)));

/** A credential goes into a header; what no header can hold isn't one. */
function checked(token) {
  const text = token.trim().replace(/^Bearer\s+/i, '');
  if (!/^[\x21-\x7e]+$/.test(text))
    throw new Error(t('sign.noToken'));
  return text;
}

async function signIn(challenge) {
  const newer = hasWorked() ? await oidc.refresh(last) : null;
  if (newer) {
    last = newer;
    keep(`Bearer ${newer.token}`, sessionStorage.getItem(STORE) !== null);
    return true;
  }
  return signInDialog(challenge);
}

/** Of OpenID Connect.  `stays`: there is something on this page that is lost
 * when it is left, so that another window goes to the issuer. */
function issuerButton(stay, stays) {
  if (!oidc.offered())
    return {issuer: null, told: null};
  const told = h('p', {class: 'trouble', role: 'alert'});
  let stop = new AbortController();
  const beside = async dialog => {
    stop.abort();
    stop = new AbortController();
    dialog.addEventListener('close', () => stop.abort(), {once: true});
    told.textContent = t('oidc.beside');
    const {signal} = stop;
    const got = await oidc.beginBeside(stay.checked, signal,
      () => dialog.open);
    signal.throwIfAborted();
    last = got;
    keep(`Bearer ${last.token}`, last.keep);
    dialog.dispatchEvent(new Event('done'));
  };
  const issuer = button('user', t('sign.oidc'), async () => {
    told.textContent = '';
    try {
      await (stays ? beside(issuer.closest('dialog')) :
        oidc.begin(stay.checked));
    } catch (error) {
      if (error.name !== 'AbortError')
        told.textContent = error.message;
    }
  }, 'primary across');
  return {issuer, told};
}

/** Asks for a token, or a name and a password; true where there is one. */
export async function signInDialog(challenge = '') {
  const again = isSignedIn();
  const onlyBasic = /basic/i.test(challenge) && !/bearer/i.test(challenge);
  const token = h('input', {type: 'password', name: 'token',
    autocomplete: 'off', spellcheck: 'false'});
  const user = h('input', {name: 'user', autocomplete: 'username',
    autocapitalize: 'none', spellcheck: 'false'});
  const password = h('input', {type: 'password', name: 'password',
    autocomplete: 'current-password'});
  const stay = h('input', {type: 'checkbox', name: 'stay',
    checked: sessionStorage.getItem(STORE) !== null});
  const byToken = h('div', {}, field(t('sign.token'), token,
    t('sign.tokenHint')));
  const byName = h('div', {}, field(t('sign.user'), user),
    field(t('sign.password'), password));
  const ways = [['token', t('sign.byToken'), byToken],
    ['basic', t('sign.byName'), byName]];
  let way = onlyBasic ? 'basic' : 'token';
  const show = () => ways.forEach(([name, , part]) =>
    part.hidden = name !== way);
  const radios = h('fieldset', {class: 'segments'},
    h('legend', {class: 'unseen'}, t('sign.how')),
    ways.map(([name, label]) => h('label', {}, h('input', {type: 'radio',
      name: 'way', value: name, checked: name === way,
      on: {change: () => { way = name; show(); }}}), h('span', {}, label))));
  const {issuer, told} = issuerButton(stay, again || isBusy());
  show();
  const done = await ask({
    title: t(again ? 'sign.again' : 'sign.title'), yes: t('sign.in'),
    body: [h('p', {class: 'hint'}, t(again ? 'sign.againWhy' : 'sign.why')),
      issuer, told, radios, byToken, byName,
      field(t('sign.stay'), stay, t('sign.stayHint'))],
    accept() {
      if (way === 'basic' && user.value === '')
        throw new Error(t('sign.noUser'));
      if (way === 'basic')
        keep(basic(user.value, password.value), stay.checked);
      else
        keep(`Bearer ${checked(token.value)}`, stay.checked);
      last = null;
      return true;
    },
    opened: () => (issuer ?? (way === 'basic' ? user : token)).focus(),
  });
  return done === true;
}

/** Before the first request: what is kept, or comes back from the issuer.
 * False: this window was there for that alone. */
export async function begin() {
  useSignIn(signIn);
  if (sessionStorage.getItem(STORE))
    setCredential(sessionStorage.getItem(STORE));
  const back = await oidc.finish();
  if (back?.elsewhere)
    return false;
  if (back) {
    last = back;
    keep(`Bearer ${back.token}`, back.keep);
  }
  return true;
}
