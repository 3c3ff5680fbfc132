// SPDX-License-Identifier: MIT
//
// The uploads in sight: how far each is, how fast, how long it still takes,
// and all of them together.
import {button, h, icon} from './dom.js';
import {duration, number, size, visible} from './format.js';
import {chooseAgain, clearDone, forAll, queue, tasks} from './queue.js';
import {t} from './words.js';

const SHOWN = 60;   // at once; the others are counted
const EVERY = 200;  // ms

const ORDER = {asked: 0, failed: 1, running: 2, waiting: 3, paused: 4,
  away: 5, done: 6};

function lineOf(task) {
  const {state, sent, why, note} = task;
  if (state === 'running' && !why) {
    const {rate} = task.speed;
    const parts = [t('upload.of', {done: size(sent), all: size(task.size)})];
    if (rate > 0)
      parts.push(t('upload.rate', {rate: size(rate)}),
        t('upload.left', {time: duration((task.size - sent) / rate)}));
    return parts.join(' · ');
  }
  const word = {done: note || size(task.size), waiting: t('upload.waiting'),
    paused: t('upload.paused', {done: size(sent), all: size(task.size)}),
    away: t('upload.away')}[state];
  return why || word || '';
}

class Line {
  constructor(task) {
    this.task = task;
    const name = visible(task.name);
    this.bar = h('progress', {max: 1, value: 0, 'aria-label': name});
    this.text = h('p', {class: 'about'});
    this.acts = h('div', {class: 'acts'});
    this.element = h('li', {}, h('p', {class: 'name', dir: 'auto',
      title: visible(task.key)}, name), this.acts, this.bar, this.text);
  }

  draw() {
    const {task} = this;
    this.bar.value = task.size > 0 ? task.sent / task.size :
      Number(task.state === 'done');
    this.bar.hidden = ['done', 'failed', 'asked', 'away']
      .includes(task.state);
    const text = lineOf(task);
    if (this.text.textContent !== text)
      this.text.textContent = text;
    if (this.state === task.state)
      return;
    this.state = task.state;
    this.element.className = task.state;
    const had = this.acts.contains(document.activeElement);
    this.acts.replaceChildren(...this.buttons());
    if (had)
      (this.acts.querySelector('button') ?? this.element.closest('section')
        ?.querySelector('button'))?.focus();
  }

  buttons() {
    const {task} = this;
    const name = visible(task.name);
    const small = (image, word, act) => {
      const made = button(image, t(word), act, 'bare');
      made.setAttribute('aria-label', t('upload.act',
        {act: t(word), name}));
      return made;
    };
    const away = small('close', 'upload.cancel', () => task.cancel());
    const acts = {
      running: () => [small('pause', 'upload.pause', () => task.pause()),
        away],
      waiting: () => [small('pause', 'upload.pause', () => task.pause()),
        away],
      paused: () => [small('play', 'upload.resume', () => task.resume()),
        away],
      failed: () => [small('retry', 'retry', () => task.resume()), away],
      away: () => [small('file', 'upload.choose', () => this.choose()), away],
      asked: () => ['replace', 'both', 'skip'].map(how => {
        const made = button(null, t(`upload.${how}`),
          () => task.answer(how), 'small');
        made.setAttribute('aria-label', t('upload.act',
          {act: t(`upload.${how}`), name}));
        return made;
      }),
      done: () => [icon('check')],
    };
    return acts[task.state]?.() ?? [];
  }

  choose() {
    const input = h('input', {type: 'file', on: {change: () => {
      if (input.files[0] && !chooseAgain(this.task, input.files[0])) {
        this.task.why = t('upload.another');
        queue.dispatchEvent(new Event('change'));
      }
    }}});
    input.click();
  }
}

export function queueView() {
  const lines = new Map();
  const title = h('h2', {id: 'uploads'});
  const told = h('p', {class: 'unseen', role: 'status'});
  const bar = h('progress', {max: 1, value: 0,
    'aria-label': t('upload.all')});
  const about = h('p', {class: 'about'});
  const list = h('ul', {});
  const more = h('p', {class: 'about'});
  const fold = button('up', t('upload.fold'), () => {
    const folded = section.classList.toggle('folded');
    fold.setAttribute('aria-expanded', String(!folded));
  }, 'bare fold');
  fold.setAttribute('aria-expanded', 'true');
  const pauseAll = button('pause', t('upload.pauseAll'), () =>
    forAll(task => ['running', 'waiting'].includes(task.state) &&
      task.pause()), 'bare');
  const resumeAll = button('play', t('upload.resumeAll'), () =>
    forAll(task => ['paused', 'failed'].includes(task.state) &&
      task.resume()), 'bare');
  const clear = button('close', t('upload.clear'), clearDone, 'bare');
  const section = h('section', {class: 'queue', 'aria-labelledby': 'uploads',
    hidden: true}, h('header', {}, title, pauseAll, resumeAll, clear, fold),
  bar, about, told, h('div', {class: 'scroll', tabindex: '0',
    role: 'group', 'aria-label': t('upload.all')}, list, more));

  function drawLines() {
    const order = [...tasks].sort((a, b) => ORDER[a.state] - ORDER[b.state]);
    const wanted = order.slice(0, SHOWN);
    for (const [task, line] of lines)
      if (!wanted.includes(task)) {
        line.element.remove();
        lines.delete(task);
      }
    wanted.forEach((task, at) => {
      if (!lines.has(task))
        lines.set(task, new Line(task));
      const {element} = lines.get(task);
      if (list.children[at] !== element &&
          !element.contains(document.activeElement))
        list.insertBefore(element, list.children[at] ?? null);
      lines.get(task).draw();
    });
    const rest = order.length - wanted.length;
    more.textContent = rest > 0 ? t('upload.more', {n: rest,
      text: number(rest)}) : '';
  }

  function draw() {
    section.hidden = tasks.length === 0;
    const count = state => tasks.filter(task => task.state === state).length;
    const open = tasks.filter(task => ['running', 'waiting', 'paused']
      .includes(task.state));
    const counted = tasks.filter(task => task.state !== 'away');
    const all = counted.reduce((sum, task) => sum + task.size, 0);
    const sent = counted.reduce((sum, task) => sum +
      (task.state === 'done' ? task.size : task.sent), 0);
    const rate = open.reduce((sum, task) => sum + task.speed.rate, 0);
    bar.hidden = about.hidden = open.length === 0;
    bar.value = all > 0 ? sent / all : 1;
    about.textContent = [t('upload.of', {done: size(sent), all: size(all)}),
      rate > 0 ? t('upload.rate', {rate: size(rate)}) : '',
      rate > 0 ? t('upload.left', {time: duration((all - sent) / rate)}) :
        ''].filter(Boolean).join(' · ');
    const word = open.length > 0 ? t('upload.open', {n: open.length,
      text: number(open.length)}) : t('upload.over', {n: count('done'),
      text: number(count('done'))});
    title.textContent = word;
    const bad = count('failed') + count('asked');
    const news = bad > 0 ? `${word}. ${t('upload.bad', {n: bad,
      text: number(bad)})}` : word;
    if (told.textContent !== news)
      told.textContent = news;
    pauseAll.hidden = count('running') + count('waiting') === 0;
    resumeAll.hidden = count('paused') + count('failed') === 0;
    clear.hidden = count('done') === 0;
    drawLines();
  }

  let due = false;
  queue.addEventListener('change', () => {
    if (!due)
      setTimeout(() => { due = false; draw(); }, EVERY);
    due = true;
  });
  return section;
}
