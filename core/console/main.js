// SPDX-License-Identifier: MIT
//
// The page: its frame, and what stands in it for the address that is open.
import {events, isSignedIn, listPage, request} from './api.js';
import {begin, signInDialog, signOut} from './auth.js';
import {carryDialog, download, newFolderDialog, remove, renameDialog}
  from './act.js';
import {Browse} from './browse.js';
import {button, h, icon, menu, messagesIn, toast} from './dom.js';
import {nameOf, number, visible} from './format.js';
import {Preview} from './preview.js';
import {enqueue, isBusy, ofDrop, ofInput, queue, recall, tasks}
  from './queue.js';
import {queueView} from './queueview.js';
import {go, hashOf, here, mounts} from './route.js';
import {sendView} from './send.js';
import {inboxDialog, linksDialog, shareDialog} from './share.js';
import {chooseLanguage, direction, language, languages, t} from './words.js';

document.documentElement.lang = language();
document.documentElement.dir = direction();

// ---- the frame -------------------------------------------------------------

const brand = () => h('span', {class: 'brand'}, h('img', {alt: '',
  src: new URL('icon.svg', import.meta.url).href}), 'Sluice');

function sendPage(link) {
  document.title = `${t('send.title')} – Sluice`;
  document.body.append(h('header', {class: 'top'}, brand()), sendView(link));
  messagesIn(document.body);
}

const browse = new Browse({
  menu: entryMenu, open: entry => go(browse.mount, entry.key),
  remove: entries => remove(browse, entries),
  rename: entry => renameDialog(browse.mount, entry), chosen: drawChosen,
});
const preview = new Preview({
  close: () => go(browse.mount, browse.prefix),
  step(way) {
    const files = browse.entries.filter(entry => !entry.folder);
    const next = files[files.indexOf(preview.entry) + way];
    if (next)
      go(browse.mount, next.key, true);
  },
  menu: entryMenu,
  download: entry => download(browse.mount, [entry]),
});

const crumbs = h('nav', {class: 'crumbs', 'aria-label': t('crumbs')});
const search = h('input', {type: 'search', placeholder: t('search'),
  'aria-label': t('searchHere'), spellcheck: 'false', autocapitalize: 'none'});
const files = h('input', {type: 'file', multiple: true, class: 'unseen',
  tabIndex: -1, 'aria-hidden': 'true'});
const folder = h('input', {type: 'file', class: 'unseen', tabIndex: -1,
  'aria-hidden': 'true', webkitdirectory: true});
const camera = h('input', {type: 'file', accept: 'image/*,video/*',
  capture: 'environment', class: 'unseen', tabIndex: -1,
  'aria-hidden': 'true'});
const account = button('user', t('sign.in'), () => accountMenu(), 'account');
account.setAttribute('aria-haspopup', 'menu');
const bar = h('div', {class: 'bar', role: 'toolbar',
  'aria-label': t('actions')});
const tools = h('div', {class: 'tools'});
const chosenBar = h('div', {class: 'tools chosen', hidden: true});
const curtain = h('div', {class: 'curtain', 'aria-hidden': 'true'},
  icon('upload'), h('p', {}, t('dropHere')));
const uploads = queueView();

function drawChosen() {
  const chosen = browse?.chosenEntries() ?? [];
  const n = chosen.length;
  chosenBar.hidden = n === 0;
  tools.hidden = n > 0;
  if (n > 0)
    chosenBar.querySelector('.count').textContent =
      t('chosen', {n, text: number(n)});
  chosenBar.querySelector('.share').hidden = n !== 1 || chosen[0]?.folder;
}

function fillBars() {
  const upload = button('upload', t('upload'), () => menu(upload, [
    {icon: 'file', label: t('upload.files'), act: () => files.click()},
    {icon: 'folder', label: t('upload.folder'), act: () => folder.click()},
    matchMedia('(pointer: coarse)').matches && {icon: 'camera',
      label: t('upload.camera'), act: () => camera.click()},
  ]), 'primary');
  upload.setAttribute('aria-haspopup', 'menu');
  tools.append(upload,
    button('folder', t('folder.new'), async () => {
      const made = await newFolderDialog(browse.prefix);
      if (made)
        go(browse.mount, made);
    }, 'roomy'),
    button('inbox', t('inbox'), () => inboxDialog(browse.mount,
      browse.prefix), 'roomy'),
    button('refresh', t('refresh'), () => browse.reload(), 'bare'),
    browse.status);
  const withChosen = act => () => act(browse.chosenEntries());
  chosenBar.append(
    button('close', t('chooseNone'), () => browse.chooseAll(false), 'bare'),
    h('span', {class: 'count', role: 'status'}),
    button('download', t('download'), withChosen(chosen =>
      download(browse.mount, chosen)), 'roomy'),
    button('link', t('share'), withChosen(([entry]) =>
      shareDialog(browse.mount, entry)), 'roomy share'),
    button('rename', t('move'), withChosen(chosen =>
      carryDialog(browse.mount, chosen, true)), 'roomy'),
    button('copy', t('copy'), withChosen(chosen =>
      carryDialog(browse.mount, chosen, false)), 'roomy'),
    button('trash', t('remove'), withChosen(chosen =>
      remove(browse, chosen)), 'roomy danger'));
  bar.append(tools, chosenBar);
}

function entryMenu(entry, anchor) {
  const {mount} = browse;
  menu(anchor, [
    {icon: entry.folder ? 'folder' : 'file', label: t('open'),
      act: () => go(mount, entry.key)},
    {icon: 'download', label: entry.folder ? t('downloadZip') :
      t('download'), act: () => download(mount, [entry])},
    !entry.folder && {icon: 'link', label: t('share.dots'),
      act: () => shareDialog(mount, entry)},
    entry.folder && {icon: 'inbox', label: t('inbox.dots'),
      act: () => inboxDialog(mount, entry.key)},
    {icon: 'rename', label: t('rename.dots'),
      act: () => renameDialog(mount, entry)},
    {icon: 'right', label: t('move.dots'),
      act: () => carryDialog(mount, [entry], true)},
    {icon: 'copy', label: t('copy.dots'),
      act: () => carryDialog(mount, [entry], false)},
    {icon: 'trash', label: t('remove'), danger: true, act: () => {
      if (preview.dialog.open)
        go(mount, browse.prefix);
      remove(browse, [entry]);
    }},
  ]);
}

function accountMenu() {
  menu(account, [
    isSignedIn() ? {icon: 'user', label: t('sign.out'), act: signOut} :
      {icon: 'user', label: t('sign.in'), act: () => signInDialog()},
    {icon: 'link', label: t('links'), act: () => linksDialog()},
    {icon: 'inbox', label: t('inbox.dots'),
      act: () => inboxDialog(browse.mount, browse.prefix)},
    ...mounts.length > 1 ? mounts.map(mount => ({icon: mount === browse.mount ?
      'check' : 'home', label: visible(mount), act: () => go(mount, '')})) :
      [],
    ...languages().map(([code, name]) => ({icon: code === language().split('-')[0] ?
      'check' : 'text', label: name, act: () => chooseLanguage(code)})),
  ]);
}

// ---- where we are ------------------------------------------------------------

function drawCrumbs(mount, prefix) {
  const parts = prefix.split('/').slice(0, -1);
  const home = mounts.length > 1 ? visible(mount.slice(1) || mount) :
    t('home');
  const links = [h('a', {href: hashOf(mount, '')}, icon('home'),
    h('span', {}, home))];
  let key = '';
  for (const part of parts) {
    key += `${part}/`;
    links.push(h('a', {href: hashOf(mount, key), dir: 'auto'},
      visible(part) || '∅'));
  }
  links.at(-1).setAttribute('aria-current', 'page');
  crumbs.replaceChildren(h('ol', {}, links.map(link => h('li', {}, link))));
  // With the next frame: to ask for it now costs a layout of its own.
  requestAnimationFrame(() => crumbs.scrollLeft = crumbs.scrollWidth);
}

let shown = '';
async function route() {
  const {mount, key, prefix, view} = here();
  if (view === 'send') {
    location.reload();
    return;
  }
  const place = `${mount} ${prefix}`;
  const name = key.slice(prefix.length);
  if (shown !== place) {
    shown = place;
    search.value = '';
    drawCrumbs(mount, prefix);
    browse.show(mount, prefix);
  }
  document.title = `${visible(name || nameOf(prefix)) || t('home')} – Sluice`;
  if (name === '') {
    if (preview.dialog.open) {
      const entry = preview.entry;
      preview.show(mount, null);
      browse.rows.setFocus(Math.max(0, browse.entries.indexOf(entry)), true);
    }
    return;
  }
  await browse.ready();
  const known = browse.entries.filter(entry => !entry.folder);
  const entry = known.find(one => one.key === key);
  if (here().key !== key)
    return;
  preview.show(mount, entry ?? await lookUp(mount, key), {first: !entry || entry === known[0],
    last: !entry || entry === known.at(-1)});
}

/** One that isn't among those that are loaded. */
async function lookUp(mount, key) {
  try {
    const {headers} = await request(mount, '/object', {method: 'HEAD',
      query: {key}, tries: 3});
    return {key, size_bytes: Number(headers.get('Content-Length')),
      time: Date.parse(headers.get('Last-Modified'))};
  } catch {
    return {key}; // the preview says why
  }
}

/** A reader who may not list all is shown the folder that is theirs. */
events.addEventListener('listFailed', async ({detail: error}) => {
  if (error.status !== 403 || browse.prefix !== '' || browse.query !== '')
    return;
  try {
    const page = await listPage(browse.mount, undefined, {limit: 1});
    if (page.prefix !== '' && browse.prefix === '')
      go(browse.mount, page.prefix, true);
  } catch {
    // the refusal is in sight
  }
});

events.addEventListener('signed', () => {
  drawAccount();
  if (browse.failed || !isSignedIn())
    browse.reload();
});

function drawAccount() {
  const word = isSignedIn() ? t('account') : t('sign.in');
  account.querySelector('.label').textContent = word;
}

// ---- files come in -----------------------------------------------------------

function add(found) {
  if (found.length === 0)
    return;
  enqueue(browse.mount, browse.prefix, found);
  uploads.classList.remove('folded');
}

for (const input of [files, folder, camera])
  input.addEventListener('change', () => {
    add(ofInput(input.files));
    input.value = '';
  });

let depth = 0;
const brings = event => event.dataTransfer?.types.includes('Files');
addEventListener('dragenter', event => {
  if (brings(event) && !document.querySelector('dialog[open]'))
    document.body.classList.toggle('dropping', ++depth > 0);
});
addEventListener('dragleave', event => {
  if (brings(event))
    document.body.classList.toggle('dropping', --depth > 0);
});
addEventListener('dragover', event => brings(event) &&
  event.preventDefault());
addEventListener('drop', async event => {
  if (!brings(event))
    return;
  event.preventDefault();
  depth = 0;
  document.body.classList.remove('dropping');
  if (document.querySelector('dialog[open]'))
    return;
  try {
    add(await ofDrop(event.dataTransfer));
  } catch (error) {
    toast(t('upload.unreadable', {why: error.message}), {bad: true});
  }
});
addEventListener('paste', event => {
  if (event.target.closest?.('input, textarea') ||
      document.querySelector('dialog[open]'))
    return;
  const now = new Date().toISOString().slice(0, 19).replaceAll(':', '.');
  add([...event.clipboardData.files].map(file => ({file,
    path: file.name === 'image.png' ? `${t('pasted')} ${now}.png` :
      file.name})));
});
addEventListener('beforeunload', event => {
  if (isBusy())
    event.preventDefault();
});

// ---- the beginning -----------------------------------------------------------

let typing;
search.addEventListener('input', () => {
  clearTimeout(typing);
  typing = setTimeout(() => browse.show(browse.mount, browse.prefix,
    search.value), 200);
});
search.addEventListener('keydown', event => {
  if (event.key === 'ArrowDown' || event.key === 'Enter') {
    event.preventDefault();
    browse.rows.setFocus(0, true);
  }
});
addEventListener('keydown', event => {
  if (event.key === '/' && !event.ctrlKey && !event.metaKey &&
      !event.target.closest('input, select, textarea, dialog')) {
    event.preventDefault();
    search.focus();
  }
});

async function start() {
  const {view, link} = here();
  if (view === 'send') {
    sendPage(link);
    return;
  }
  if (mounts.length === 0) {
    document.body.append(h('main', {class: 'sending', id: 'main'},
      h('h1', {}, 'Sluice'), h('p', {}, t('noMounts'))));
    return;
  }
  fillBars();
  const skip = h('button', {type: 'button', class: 'skip', on: {
    click: () => browse.rows.setFocus(browse.rows.focus, true)}}, t('skip'));
  document.body.append(skip,
    h('header', {class: 'top'}, brand(), h('div', {class: 'find'},
      icon('search'), search), account),
    h('main', {id: 'main'}, h('h1', {class: 'unseen'}, t('files')), crumbs,
      bar, browse.element), uploads, curtain, files, folder, camera);
  messagesIn(document.body);
  addEventListener('hashchange', route);
  queue.addEventListener('change', () => document.body.classList
    .toggle('uploading', tasks.length > 0));
  try {
    if (!await begin()) {
      document.body.replaceChildren(h('main', {class: 'sending', id: 'main'},
        h('h1', {}, t('oidc.done')), h('p', {}, t('oidc.close'))));
      window.close();
      return;
    }
  } catch (error) {
    toast(error.message, {bad: true});
  }
  drawAccount();
  recall();
  route();
}

start();
