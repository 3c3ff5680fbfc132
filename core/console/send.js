// SPDX-License-Identifier: MIT
//
// The page that somebody with an upload link sees: files go by it, and nothing
// else is shown.
import {refusalOf} from './api.js';
import {button, h, icon} from './dom.js';
import {size, visible} from './format.js';
import {ofDrop, ofInput} from './queue.js';
import {mounts, urlOf} from './route.js';
import {t} from './words.js';

/** One file by the link; a link counts what is stored, so nothing that may
 * have been is sent again unasked. */
function sendFile(url, file, progress) {
  return new Promise((resolve, reject) => {
    const call = new XMLHttpRequest();
    const form = new FormData();
    form.append('file', file, file.name);
    call.open('POST', url);
    call.upload.onprogress = event => progress(event.loaded / event.total);
    call.onload = () => call.status < 300 ? resolve() :
      reject(refusalOf(call.status, call.responseText));
    call.onerror = () => reject(refusalOf(0, ''));
    call.send(form);
  });
}

const REFUSED = {link_expired: 'send.expired', link_revoked: 'send.revoked',
  link_used_up: 'send.usedUp', link_invalid: 'send.invalid'};

/** `link` is a mount and the query of a signed link. */
export function sendView(link) {
  const [mount, query] = link.split(/\?(.*)/s);
  if (!mounts.includes(mount) || !query)
    return h('main', {class: 'sending', id: 'main'},
      h('h1', {}, t('send.title')), h('p', {}, t('send.invalid')));
  const url = `${urlOf(mount, '/signed').href}?${query}`;
  const list = h('ul', {class: 'sent'});
  const told = h('p', {class: 'unseen', role: 'status'});
  let chain = Promise.resolve();

  function add(files) {
    for (const {file} of files) {
      const name = visible(file.name);
      const bar = h('progress', {max: 1, value: 0, 'aria-label': name});
      const about = h('p', {class: 'about'}, size(file.size));
      const acts = h('div', {class: 'acts'});
      const item = h('li', {}, h('p', {class: 'name', dir: 'auto'}, name),
        acts, bar, about);
      const run = async () => {
        acts.replaceChildren();
        bar.hidden = false;
        try {
          await sendFile(url, file, part => bar.value = part);
          item.className = 'done';
          about.textContent = t('send.done', {size: size(file.size)});
          acts.replaceChildren(icon('check'));
        } catch (error) {
          item.className = 'failed';
          about.textContent = REFUSED[error.code] ? t(REFUSED[error.code]) :
            error.message;
          acts.replaceChildren(button('retry', t('retry'), () =>
            chain = chain.then(run), 'bare'));
        }
        bar.hidden = true;
        told.textContent = `${name}: ${about.textContent}`;
      };
      list.append(item);
      chain = chain.then(run);
    }
  }

  const input = h('input', {type: 'file', multiple: true, class: 'unseen',
    tabIndex: -1, 'aria-hidden': 'true', on: {change: () => {
      add(ofInput(input.files));
      input.value = '';
    }}});
  const drop = h('div', {class: 'dropzone', on: {
    dragover: event => {
      event.preventDefault();
      drop.classList.add('over');
    },
    dragleave: () => drop.classList.remove('over'),
    drop: async event => {
      event.preventDefault();
      drop.classList.remove('over');
      add(await ofDrop(event.dataTransfer));
    }}}, icon('upload'), h('p', {}, t('send.drop')),
  button('file', t('send.choose'), () => input.click(), 'primary'), input);
  return h('main', {class: 'sending', id: 'main'},
    h('h1', {}, t('send.title')), h('p', {class: 'hint'}, t('send.why')),
    drop, list, told);
}
