// SPDX-License-Identifier: MIT
//
// QR codes (ISO/IEC 18004): bytes, error correction M, or L for what M has no
// room for, the smallest version that holds them, the mask of least penalty.

// Of versions 1 to 40: codewords of error correction a block, and blocks.
const TABLES = {
  M: {bits: 0, each: [10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24,
    24, 28, 28, 26, 26, 26, 26, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28,
    28, 28, 28, 28, 28, 28, 28, 28],
  blocks: [1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16,
    17, 17, 18, 20, 21, 23, 25, 26, 28, 29, 31, 33, 35, 37, 38, 40, 43, 45,
    47, 49]},
  L: {bits: 1, each: [7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30,
    22, 24, 28, 30, 28, 28, 28, 28, 30, 30, 26, 28, 30, 30, 30, 30, 30, 30,
    30, 30, 30, 30, 30, 30, 30, 30],
  blocks: [1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8, 8, 9,
    9, 10, 12, 12, 12, 13, 14, 15, 16, 17, 18, 19, 19, 20, 21, 22, 24, 25]},
};

// ---- GF(256), modulo x^8 + x^4 + x^3 + x^2 + 1 ------------------------------

const EXP = new Uint8Array(510), LOG = new Uint8Array(256);
for (let i = 0, x = 1; i < 255; i++) {
  EXP[i] = EXP[i + 255] = x;
  LOG[x] = i;
  x = x << 1 ^ (x & 128 ? 0x11d : 0);
}
const times = (a, b) => a && b ? EXP[LOG[a] + LOG[b]] : 0;

function generator(degree) {
  let poly = [1];
  for (let i = 0; i < degree; i++)
    poly = [...poly, 0].map((c, at) => c ^ times(poly[at - 1] ?? 0, EXP[i]));
  return poly.slice(1);
}

function remainder(data, divisor) {
  const rest = new Uint8Array(divisor.length);
  for (const byte of data) {
    const factor = byte ^ rest[0];
    rest.copyWithin(0, 1);
    rest[rest.length - 1] = 0;
    divisor.forEach((c, at) => rest[at] ^= times(c, factor));
  }
  return rest;
}

// ---- room ------------------------------------------------------------------

/** Modules that hold data and its correction. */
function modules(version) {
  const side = 17 + 4 * version;
  let n = side * side - 3 * 64 - 2 * 15 - 1 - 2 * (side - 16);
  if (version > 1) {
    const marks = Math.floor(version / 7) + 2;
    n -= 25 * (marks * marks - 3) - 2 * 5 * (marks - 2);
  }
  return version > 6 ? n - 36 : n;
}

function capacity(version, level) {
  const {each, blocks} = TABLES[level];
  return (modules(version) >> 3) - each[version - 1] * blocks[version - 1];
}

function fit(length) {
  for (const level of ['M', 'L'])
    for (let version = 1; version <= 40; version++)
      if (length + (version < 10 ? 2 : 3) <= capacity(version, level))
        if (level === 'L' || version <= 25)
          return {version, level};
  throw new RangeError('more than a QR code holds');
}

// ---- codewords --------------------------------------------------------------

function dataWords(bytes, version, level) {
  const size = capacity(version, level);
  const bits = [];
  const put = (value, count) => {
    for (let i = count - 1; i >= 0; i--)
      bits.push(value >> i & 1);
  };
  put(4, 4);
  put(bytes.length, version < 10 ? 8 : 16);
  bytes.forEach(byte => put(byte, 8));
  put(0, Math.min(4, size * 8 - bits.length));
  put(0, -bits.length & 7);
  for (let pad = 0xec; bits.length < size * 8; pad ^= 0xec ^ 0x11)
    put(pad, 8);
  return Uint8Array.from({length: size}, (_, at) =>
    bits.slice(at * 8, at * 8 + 8).reduce((sum, bit) => sum << 1 | bit, 0));
}

/** Data in blocks, each with its correction, dealt out in turn. */
function interleave(data, version, level) {
  const count = TABLES[level].blocks[version - 1];
  const each = TABLES[level].each[version - 1];
  const poly = generator(each);
  const short = Math.floor(data.length / count);
  const longs = data.length % count;
  const blocks = [];
  for (let i = 0, at = 0; i < count; i++) {
    const length = short + (i >= count - longs ? 1 : 0);
    blocks.push(data.subarray(at, at + length));
    at += length;
  }
  const sums = blocks.map(block => remainder(block, poly));
  const out = [];
  for (let at = 0; at <= short; at++)
    blocks.forEach(block => at < block.length && out.push(block[at]));
  for (let at = 0; at < each; at++)
    sums.forEach(sum => out.push(sum[at]));
  return out;
}

// ---- the square -------------------------------------------------------------

class Square {
  constructor(version) {
    this.version = version;
    this.side = 17 + 4 * version;
    this.dark = Array.from({length: this.side},
      () => new Uint8Array(this.side));
    this.fixed = this.dark.map(row => row.slice());
    this.frame();
  }

  set(x, y, dark) {
    this.dark[y][x] = dark ? 1 : 0;
    this.fixed[y][x] = 1;
  }

  frame() {
    const {side, version} = this;
    for (let i = 0; i < side; i++) {
      this.set(6, i, i % 2 === 0);
      this.set(i, 6, i % 2 === 0);
    }
    for (const [x, y] of [[3, 3], [side - 4, 3], [3, side - 4]])
      this.rings(x, y, 4, ring => ring !== 2 && ring !== 4);
    const marks = this.marks();
    const last = marks.length - 1;
    marks.forEach((x, i) => marks.forEach((y, j) => {
      const corner = (i === 0 && j === 0) || (i === 0 && j === last) ||
        (i === last && j === 0);
      if (!corner)
        this.rings(x, y, 2, ring => ring !== 1);
    }));
    this.format(0, 0);
    if (version > 6)
      this.versionBits();
  }

  rings(x, y, radius, isDark) {
    for (let dy = -radius; dy <= radius; dy++)
      for (let dx = -radius; dx <= radius; dx++)
        if (this.dark[y + dy]?.[x + dx] !== undefined)
          this.set(x + dx, y + dy,
            isDark(Math.max(Math.abs(dx), Math.abs(dy))));
  }

  /** Middles of the alignment patterns. */
  marks() {
    const {side, version} = this;
    if (version === 1)
      return [];
    const count = Math.floor(version / 7) + 2;
    // Even, as near to equal as that allows; the standard's own exception.
    const step = version === 32 ? 26 :
      Math.ceil((side - 13) / (count - 1) / 2) * 2;
    const out = [6];
    for (let at = side - 7; out.length < count; at -= step)
      out.splice(1, 0, at);
    return out;
  }

  format(level, mask) {
    const {side} = this;
    const data = level << 3 | mask;
    let rest = data;
    for (let i = 0; i < 10; i++)
      rest = rest << 1 ^ (rest >> 9) * 0x537;
    const bits = (data << 10 | rest) ^ 0x5412;
    const bit = i => bits >> i & 1;
    for (let i = 0; i < 6; i++)
      this.set(8, i, bit(i));
    this.set(8, 7, bit(6));
    this.set(8, 8, bit(7));
    this.set(7, 8, bit(8));
    for (let i = 9; i < 15; i++)
      this.set(14 - i, 8, bit(i));
    for (let i = 0; i < 8; i++)
      this.set(side - 1 - i, 8, bit(i));
    for (let i = 8; i < 15; i++)
      this.set(8, side - 15 + i, bit(i));
    this.set(8, side - 8, true);
  }

  versionBits() {
    let rest = this.version;
    for (let i = 0; i < 12; i++)
      rest = rest << 1 ^ (rest >> 11) * 0x1f25;
    const bits = this.version << 12 | rest;
    for (let i = 0; i < 18; i++) {
      const a = this.side - 11 + i % 3, b = Math.floor(i / 3);
      this.set(a, b, bits >> i & 1);
      this.set(b, a, bits >> i & 1);
    }
  }

  /** Two columns at a time, from the right, up and down. */
  fill(words) {
    const {side} = this;
    let at = 0;
    for (let right = side - 1; right > 0; right -= 2) {
      if (right === 6)
        right = 5;
      for (let step = 0; step < side; step++)
        for (const x of [right, right - 1]) {
          const up = (right + 1 & 2) === 0;
          const y = up ? side - 1 - step : step;
          if (this.fixed[y][x])
            continue;
          this.dark[y][x] = words[at >> 3] >> (7 - (at & 7)) & 1;
          at++;
        }
    }
  }

  flip(mask) {
    const hit = MASKS[mask];
    this.dark.forEach((row, y) => row.forEach((dark, x) => {
      if (!this.fixed[y][x] && hit(x, y))
        row[x] = dark ^ 1;
    }));
  }

  penalty() {
    const {side, dark} = this;
    let sum = 0, all = 0;
    const line = at => {
      let run = 0, last = -1, text = '';
      for (let i = 0; i < side; i++) {
        const now = at(i);
        text += now;
        run = now === last ? run + 1 : 1;
        last = now;
        sum += run === 5 ? 3 : run > 5 ? 1 : 0;
      }
      for (const like of ['10111010000', '00001011101'])
        for (let from = text.indexOf(like); from >= 0;
          from = text.indexOf(like, from + 1))
          sum += 40;
    };
    for (let i = 0; i < side; i++) {
      line(x => dark[i][x]);
      line(y => dark[y][i]);
      for (let x = 0; x < side; x++) {
        all += dark[i][x];
        if (i > 0 && x > 0 && dark[i][x] === dark[i - 1][x] &&
            dark[i][x] === dark[i][x - 1] &&
            dark[i][x] === dark[i - 1][x - 1])
          sum += 3;
      }
    }
    return sum + 10 * Math.floor(Math.abs(all * 20 / (side * side) - 10));
  }
}

const MASKS = [
  (x, y) => (x + y) % 2 === 0,
  (x, y) => y % 2 === 0,
  x => x % 3 === 0,
  (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2 === 0,
  (x, y) => x * y % 2 + x * y % 3 === 0,
  (x, y) => (x * y % 2 + x * y % 3) % 2 === 0,
  (x, y) => ((x + y) % 2 + x * y % 3) % 2 === 0];

/** The code of a text: rows of 0 and 1, 1 is dark. */
export function qr(text) {
  const bytes = [...new TextEncoder().encode(text)];
  const {version, level} = fit(bytes.length);
  const square = new Square(version);
  square.fill(interleave(dataWords(bytes, version, level), version, level));
  let best = {penalty: Infinity};
  for (let mask = 0; mask < 8; mask++) {
    square.format(TABLES[level].bits, mask);
    square.flip(mask);
    const penalty = square.penalty();
    if (penalty < best.penalty)
      best = {penalty, mask};
    square.flip(mask);
  }
  square.format(TABLES[level].bits, best.mask);
  square.flip(best.mask);
  return square.dark;
}

const SVG = 'http://www.w3.org/2000/svg';

/** The same as a picture, with the four modules of quiet around it. */
export function qrPicture(text, label) {
  const rows = qr(text);
  const side = rows.length + 8;
  const svg = document.createElementNS(SVG, 'svg');
  const path = document.createElementNS(SVG, 'path');
  svg.setAttribute('viewBox', `0 0 ${side} ${side}`);
  svg.setAttribute('class', 'qr');
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', label);
  path.setAttribute('d', rows.map((row, y) => [...row].map((dark, x) =>
    dark ? `M${x + 4} ${y + 4}h1v1h-1z` : '').join('')).join(''));
  svg.append(path);
  return svg;
}
