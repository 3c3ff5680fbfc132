// SPDX-License-Identifier: MIT
//
// Sizes, times and names as people read them.
import {language} from './words.js';

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte',
  'petabyte'];
const LETTERS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
const made = new Map();

function formatter(key, make) {
  const name = `${language()} ${key}`;
  if (!made.has(name))
    made.set(name, make());
  return made.get(name);
}

export function number(n) {
  return formatter('n', () => new Intl.NumberFormat(language())).format(n);
}

/** 1536 is "1.5 KiB". */
export function size(bytes) {
  let unit = 0;
  while (bytes >= 1024 && unit < UNITS.length - 1) {
    bytes /= 1024;
    unit++;
  }
  const digits = unit === 0 || bytes >= 100 ? 0 : 1;
  const text = formatter(`s${digits}`, () => new Intl.NumberFormat(language(),
    {maximumFractionDigits: digits})).format(bytes);
  return `${text} ${LETTERS[unit]}`;
}

/** "8MiB", "1.5 GB" or "2000": bytes, or NaN. */
export function readSize(text) {
  const found = /^\s*(\d+(?:[.,]\d+)?)\s*([kmgt]?)i?b?\s*$/i.exec(text);
  if (!found)
    return NaN;
  const power = 'kmgt'.indexOf(found[2].toLowerCase()) + 1;
  return Math.floor(Number(found[1].replace(',', '.')) *
    1024 ** (found[2] ? power : 0));
}

export function when(date) {
  return formatter('d', () => new Intl.DateTimeFormat(language(),
    {dateStyle: 'medium', timeStyle: 'short'})).format(date);
}

/** Seconds as "3 min 20 s". */
export function duration(seconds) {
  const unit = (n, name) => formatter(name, () => new Intl.NumberFormat(
    language(), {style: 'unit', unit: name, unitDisplay: 'narrow'})).format(n);
  seconds = Math.max(1, Math.round(seconds));
  if (seconds < 60)
    return unit(seconds, 'second');
  if (seconds < 3600)
    return `${unit(Math.floor(seconds / 60), 'minute')} ` +
      unit(seconds % 60, 'second');
  if (seconds < 86400)
    return `${unit(Math.floor(seconds / 3600), 'hour')} ` +
      unit(Math.floor(seconds % 3600 / 60), 'minute');
  return unit(Math.round(seconds / 86400), 'day');
}

// Controls, and what turns the direction of text about: a name that hides its
// own end is no longer the name of what it looks like.
const HIDDEN = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

/** A name with nothing in it that can't be seen. */
export function visible(name) {
  return name.replace(HIDDEN, c => '\u27e8' +
    c.codePointAt(0).toString(16).toUpperCase().padStart(4, '0') + '\u27e9');
}

/** The last segment of a key, or of a folder, which ends in /. */
export function nameOf(key) {
  const end = key.endsWith('/') ? key.length - 1 : key.length;
  return key.slice(key.lastIndexOf('/', end - 1) + 1, end);
}

export function folderOf(key) {
  const end = key.endsWith('/') ? key.length - 1 : key.length;
  return key.slice(0, key.lastIndexOf('/', end - 1) + 1);
}

const KINDS = {
  image: 'png jpg jpeg jfif gif webp avif bmp ico svg apng',
  audio: 'mp3 m4a aac ogg oga opus wav flac weba',
  video: 'mp4 m4v webm ogv mov mkv',
  pdf: 'pdf',
  archive: 'zip gz tgz bz2 xz zst 7z rar tar iso deb rpm jar',
  text: 'txt md csv tsv json yaml yml toml ini conf cfg log xml html htm css ' +
    'js mjs ts jsx tsx c h cc cpp hpp rs go py rb pl sh bash java kt swift ' +
    'sql tex rst diff patch srt vtt lua r m mk cmake',
};
const KIND_OF = new Map(Object.entries(KINDS).flatMap(([kind, endings]) =>
  endings.split(' ').map(ending => [ending, kind])));

/** image, audio, video, pdf, text, archive or file: by the name alone. */
export function kindOf(name) {
  const ending = name.slice(name.lastIndexOf('.') + 1).toLowerCase();
  return KIND_OF.get(ending) ?? 'file';
}
