// SPDX-License-Identifier: MIT
//
// Links: to download an object, and to send files to a folder; those that were
// made in this browser, and their end.  A link itself isn't kept: it is a
// right, and shown once.
import {ask as askGateway, presign} from './api.js';
import {ask, button, copyText, field, h, toast} from './dom.js';
import {duration, nameOf, number, readSize, visible, when} from './format.js';
import {qrPicture} from './qr.js';
import {sendPage} from './route.js';
import {t} from './words.js';

const STORE = 'sluice.links';
const KEPT = 200; // links in the list
const TIMES = [600, 3600, 21600, 86400, 259200, 604800];

function made() {
  try {
    return JSON.parse(localStorage.getItem(STORE) ?? '[]')
      .filter(link => link.until > Date.now());
  } catch {
    return [];
  }
}

function keep(links) {
  try {
    localStorage.setItem(STORE, JSON.stringify(links.slice(0, KEPT)));
  } catch {
    // a browser that keeps nothing
  }
}

const times = chosen => h('select', {name: 'expires'}, TIMES.map(seconds =>
  h('option', {value: String(seconds), selected: seconds === chosen},
    duration(seconds))));

const usesField = () => h('input', {name: 'uses', type: 'number', min: '1',
  max: '1000000', inputmode: 'numeric', placeholder: t('share.anyUses')});

/** uses, or nothing; what is no number is told. */
function usesOf(input) {
  if (input.value === '' && !input.validity.badInput)
    return undefined;
  const n = Number(input.value);
  if (!Number.isInteger(n) || n < 1 || n > 1000000)
    throw new Error(t('share.badUses'));
  return n;
}

/** The link, once: to copy, to scan, to hand on. */
function showLink(title, url, {expires_in: life, uses}) {
  const text = h('input', {readOnly: true, value: url, class: 'link',
    'aria-label': t('share.link'), on: {focus: () => text.select()}});
  const copy = button('copy', t('share.copy'), async () => {
    if (await copyText(url)) {
      copy.querySelector('.label').textContent = t('share.copied');
    } else {
      text.focus();
      text.select();
      toast(t('share.copyYourself'));
    }
  }, 'primary');
  const hand = navigator.share ? button('link', t('share.hand'), () =>
    navigator.share({url}).catch(() => {})) : null;
  let picture;
  try {
    picture = h('div', {class: 'code'}, qrPicture(url, t('share.qr')));
  } catch {
    picture = h('p', {class: 'hint'}, t('share.noQr'));
  }
  return ask({title, no: t('close'), body: [
    h('p', {class: 'hint'}, t('share.until', {time: when(new Date(
      Date.now() + life * 1000))}), uses ? ` ${t('share.uses', {n: uses,
      text: number(uses)})}` : ''),
    h('div', {class: 'copying'}, text, copy, hand), picture],
  opened: form => form.querySelector('.copying button').focus()});
}

function noteLink(mount, wish, answer) {
  if (!answer.id)
    return;
  keep([{id: answer.id, mount, key: wish.key ?? `${wish.prefix}/`,
    sends: wish.method === 'POST', uses: wish.uses,
    until: Date.now() + answer.expires_in * 1000}, ...made()]);
}

export async function shareDialog(mount, entry) {
  const expires = times(86400);
  const uses = usesField();
  const inline = h('input', {type: 'checkbox', name: 'inline'});
  const name = visible(nameOf(entry.key));
  const got = await ask({
    title: t('share.title', {name}), yes: t('share.make'),
    body: [field(t('share.life'), expires), field(t('share.usesField'), uses,
      t('share.usesHint')), field(t('share.inline'), inline)],
    async accept() {
      const wish = {key: entry.key, via: 'gateway',
        expires: Number(expires.value), uses: usesOf(uses),
        inline: inline.checked || undefined};
      const answer = await presign(mount, wish);
      noteLink(mount, wish, answer);
      return {answer, wish};
    },
  });
  if (got)
    await showLink(t('share.ready', {name}), new URL(got.answer.url,
      location.href).href, {...got.answer, uses: got.wish.uses});
}

/** "image/*, application/pdf" */
function typesOf(text) {
  const all = text.split(/[,\s]+/).filter(Boolean);
  if (all.some(type => !/^[\w.+-]+\/([\w.+-]+|\*)$/.test(type)))
    throw new Error(t('share.badTypes'));
  return all.length > 0 ? all : undefined;
}

/** A link by which others send files to a folder. */
export async function inboxDialog(mount, prefix) {
  const folder = h('input', {name: 'prefix', dir: 'auto',
    spellcheck: 'false', value: prefix || 'inbox/'});
  const expires = times(604800);
  const uses = usesField();
  const most = h('input', {name: 'most', placeholder: '50 MiB'});
  const types = h('input', {name: 'types', spellcheck: 'false',
    placeholder: 'image/*, application/pdf'});
  const got = await ask({
    title: t('inbox.title'), yes: t('share.make'),
    body: [h('p', {class: 'hint'}, t('inbox.why')),
      field(t('inbox.folder'), folder), field(t('share.life'), expires),
      field(t('inbox.files'), uses), field(t('inbox.most'), most,
        t('inbox.mostHint')), field(t('inbox.types'), types,
        t('inbox.typesHint'))],
    async accept() {
      const bytes = most.value === '' ? undefined : readSize(most.value);
      if (Number.isNaN(bytes) || bytes < 1)
        throw new Error(t('inbox.badSize'));
      const wish = {method: 'POST', prefix: folder.value.replace(/^\/|\/$/g,
        ''), expires: Number(expires.value), uses: usesOf(uses),
      max_bytes: bytes, types: typesOf(types.value)};
      const answer = await presign(mount, wish);
      noteLink(mount, wish, answer);
      return {answer, wish};
    },
  });
  if (got)
    await showLink(t('inbox.ready'), sendPage(mount + new URL(
      got.answer.url, location.href).search), {...got.answer, uses: got.wish.uses});
}

/** Those made here that are still valid. */
export function linksDialog() {
  const list = h('ul', {class: 'links'});
  const none = h('p', {class: 'hint'}, t('links.none'));
  const trouble = h('p', {class: 'trouble', role: 'alert'});
  const draw = () => {
    const links = made();
    none.hidden = links.length > 0;
    list.replaceChildren(...links.map(link => {
      const name = visible(link.sends ? link.key : nameOf(link.key));
      const revoke = button('trash', t('links.revoke'), async () => {
        revoke.disabled = true;
        trouble.textContent = '';
        try {
          await askGateway(link.mount, '/links', {method: 'DELETE',
            json: {id: link.id}});
        } catch (error) {
          if (error.status !== 404) {
            revoke.disabled = false;
            trouble.textContent = error.message;
            return;
          }
        }
        keep(made().filter(one => one.id !== link.id));
        toast(t('links.revoked'));
        draw();
        (list.querySelector('button') ?? list.closest('dialog')
          .querySelector('h2')).focus();
      }, 'danger small');
      revoke.setAttribute('aria-label', t('upload.act',
        {act: t('links.revoke'), name}));
      return h('li', {}, h('div', {}, h('p', {class: 'name', dir: 'auto',
        title: visible(link.key)}, name), h('p', {class: 'about'},
        t(link.sends ? 'links.sends' : 'links.gives'), ' · ',
        t('share.until', {time: when(new Date(link.until))}))), revoke);
    }));
  };
  draw();
  return ask({title: t('links.title'), no: t('close'),
    body: [h('p', {class: 'hint'}, t('links.why')), none, list, trouble]});
}
