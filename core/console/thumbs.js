// SPDX-License-Identifier: MIT
//
// Small pictures of images in the list, made here, of rows that stay in sight.
import {request} from './api.js';
import {kindOf, nameOf} from './format.js';

const MOST = 300;             // pictures that are kept
const LARGEST = 12 << 20;     // bytes of an image that is loaded for one
const SIDE = 64;              // pixels
const AT_ONCE = 3;
const WAIT = 180;             // ms that a row has to be in sight

const kept = new Map(); // by mount, key and ETag; null: none can be made
const queue = [];
let running = 0;

async function make(mount, key) {
  const answer = await request(mount, '/download',
    {query: {key, inline: 'true'}, tries: 1});
  const picture = await createImageBitmap(await answer.blob());
  const scale = SIDE / Math.min(picture.width, picture.height);
  const canvas = new OffscreenCanvas(SIDE, SIDE);
  const [width, height] = [picture.width * scale, picture.height * scale];
  canvas.getContext('2d').drawImage(picture, (SIDE - width) / 2,
    (SIDE - height) / 2, width, height);
  picture.close();
  return canvas.transferToImageBitmap();
}

async function next() {
  if (running >= AT_ONCE || queue.length === 0)
    return;
  const job = queue.pop(); // the newest is in sight
  running++;
  try {
    if (job.place.isConnected && !kept.has(job.name))
      kept.set(job.name, await make(job.mount, job.key));
  } catch {
    kept.set(job.name, null);
  }
  running--;
  if (kept.size > MOST) {
    const [oldest] = kept.keys();
    kept.get(oldest)?.close();
    kept.delete(oldest);
  }
  if (job.place.isConnected)
    show(job.place, kept.get(job.name));
  next();
}

function show(place, picture) {
  if (!picture)
    return;
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = SIDE;
  canvas.getContext('2d').drawImage(picture, 0, 0);
  canvas.setAttribute('aria-hidden', 'true');
  place.replaceChildren(canvas);
}

/** Puts one into `place` once it is there. */
export function thumbnail(place, mount, entry) {
  const kind = kindOf(nameOf(entry.key));
  if (kind !== 'image' || entry.size_bytes > LARGEST ||
      /\.svg$/i.test(entry.key) || !self.OffscreenCanvas)
    return;
  const name = `${mount} ${entry.etag} ${entry.key}`;
  if (kept.has(name)) {
    show(place, kept.get(name));
    return;
  }
  setTimeout(() => {
    if (!place.isConnected)
      return;
    queue.push({place, name, mount, key: entry.key});
    if (queue.length > 60)
      queue.shift();
    next();
  }, WAIT);
}
