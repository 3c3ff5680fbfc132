// SPDX-License-Identifier: MIT
//
// Addresses of the page: #/reports/2026/ is a folder, #/reports/2026/a.pdf an
// object in it, #@archive/reports/ a folder of another mount.
const root = new URL('..', document.baseURI);

function meta(name) {
  return document.querySelector(`meta[name="${name}"]`).content;
}

export const mounts = meta('sluice-mounts').split(' ').filter(Boolean);
export const issuer = meta('sluice-issuer');
export const client = meta('sluice-client');
export const scope = meta('sluice-scope');

/** The URL of a path below a mount, with a query. */
export function urlOf(mount, path, query) {
  const url = new URL(mount.replace(/^\/|\/$/g, '') + path, root);
  for (const [name, value] of Object.entries(query ?? {}))
    if (value !== undefined && value !== null)
      url.searchParams.set(name, value);
  return url;
}

const encode = key => key.split('/').map(encodeURIComponent).join('/');

export function hashOf(mount, key) {
  const at = mount === mounts[0] ? '' :
    `@${encodeURIComponent(mount.slice(1))}`;
  return `#${at}/${encode(key)}`;
}

/** {mount, key, prefix, view} of the address bar. */
export function here() {
  const text = location.hash.slice(1);
  const none = {mount: mounts[0], key: '', prefix: ''};
  try {
    if (text.startsWith('send='))
      return {...none, view: 'send', link: decodeURIComponent(text.slice(5))};
    const [, at, path] = /^(?:@([^/]*))?\/?(.*)$/s.exec(text);
    const mount = at === undefined ? mounts[0] :
      `/${decodeURIComponent(at)}`;
    if (!mounts.includes(mount))
      return none;
    const key = path.split('/').map(decodeURIComponent).join('/');
    return {mount, key, prefix: key.slice(0, key.lastIndexOf('/') + 1)};
  } catch {
    return none; // an escape that isn't one
  }
}

/** Goes there; the back button comes back, unless `instead`. */
export function go(mount, key, instead) {
  const hash = hashOf(mount, key);
  if (instead) {
    history.replaceState(null, '', hash);
    dispatchEvent(new HashChangeEvent('hashchange'));
  } else {
    location.hash = hash;
  }
}

/** The page that a link to POST is given to people as. */
export function sendPage(link) {
  const page = new URL('.', document.baseURI);
  page.hash = `send=${encodeURIComponent(link)}`;
  return page.href;
}
