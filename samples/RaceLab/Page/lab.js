'use strict';

const $ = (selector, within = document) => within.querySelector(selector);
const number = value => Math.round(value).toLocaleString('en');
const steps = ['Logged in as ada', 'A slow request of the same session is under way', 'Log-out answered', 'The slow request is answered'];

// The page is drawn anew from each state that comes, so it makes no difference when it was opened.
const live = new EventSource('/live');
live.addEventListener('state', event => draw(JSON.parse(event.data)));
live.addEventListener('error', () => say('The lab does not answer. Is it still running?', true));

for (const button of document.querySelectorAll('button')) {
  button.addEventListener('click', async () => {
    const response = await fetch(button.dataset.race, { method: 'POST' }).catch(() => null);
    if (response?.ok === false) {
      say(await response.json(), true);
    }
  });
}

function draw(state) {
  say(state.status, state.failed);
  const anyKilled = state.servers?.ours.some(server => !server.runs) ?? false;
  for (const button of document.querySelectorAll('button')) {
    button.disabled = !state.ready || state.running !== null || (button.dataset.race === '/races/kill' && anyKilled);
  }
  $('[data-race="/servers/start"]').hidden = !anyKilled;
  for (const side of ['stock', 'ours']) {
    show(`#updates .${side}`, drawUpdates(state.updates?.[side]));
    show(`#log-out .${side}`, drawLogOut(state.logOut?.[side]));
  }
  show('#kill article', drawKill(state.kill));
  for (const what of ['commands', 'bytes']) {
    show(`#${what}`, drawChart(state, what));
  }
  show('#servers', drawServers(state.servers));
  document.body.dataset.ended = state.ended;
}

function drawUpdates(result) {
  const cells = [...(result?.cells ?? '.'.repeat(100))].map(cell => `<i class="${cell === '.' ? '' : cell}"></i>`).join('');
  const verdict = !result ? '' : !result.done ? `<span>${result.acknowledged} acknowledged …</span>`
    : `<span class="${result.lost ? 'bad' : 'good'}"><span class="lost">${result.lost}</span> lost</span>`;
  const cost = result?.done ? `${result.acknowledged} acknowledged, ${result.acknowledged - result.lost} in the cart. `
    + `Redis: ${number(result.redis.commands)} commands, ${number(result.redis.bytes)} bytes.` : '';
  return `<div class="cells" aria-hidden="true">${cells}</div><p class="verdict">${verdict}</p><small>${cost}</small>`;
}

function drawLogOut(result) {
  const list = steps.map((step, i) => `<li class="${i < (result?.steps ?? 0) ? 'done' : ''}">${step}</li>`).join('');
  const verdict = !result?.done ? '' : result.user
    ? `<span class="bad">The session is back: ${result.user} is logged in</span>` : '<span class="good">The session stays ended</span>';
  return `<ol>${list}</ol><p class="verdict">${verdict}</p>`;
}

function drawKill(result) {
  const [width, height] = [960, 84];
  const beats = result?.beats ?? [];
  const step = width / Math.max(50, beats.length);
  const most = Math.max(1, ...beats.map(([one, two]) => one + two));
  const bar = (name, i, from, count) => count === 0 ? '' : `<rect class="${name}" x="${i * step}" width="${step - 2}"
    y="${height * (1 - (from + count) / most)}" height="${height * count / most}"/>`;
  const bars = beats.map(([one, two], i) => bar('one', i, 0, one) + bar('two', i, one, two)).join('');
  const at = ((result?.killedAt ?? 0) + 1) * step;
  const killed = result?.killedAt == null ? ''
    : `<path class="killed" d="M${at} -6V${height}"/><text class="killed" x="${at + 6}" y="4">kill -9 ${result.processes[0]}</text>`;
  const verdict = !result ? '' : !result.done ? `<span>${result.acknowledged} acknowledged …</span>`
    : `<span class="${result.lost ? 'bad' : 'good'}"><span class="lost">${result.lost}</span> of ${result.acknowledged} lost</span>`;
  const keys = result?.processes.map((id, i) => `<span class="key ${i ? 'two' : 'one'}">by process ${id}</span>`).join('') ?? '';
  const detail = result?.done ? `${result.vain} tries failed and were made again. Longest wait: `
    + `${(result.longestPause / 1000).toFixed(1)} s.` : '';
  return `<svg viewBox="0 -8 ${width} ${height + 10}" aria-hidden="true"><path class="axis" d="M0 ${height}H${width}"/>${bars}${killed}</svg>
    <p class="verdict">${verdict}</p><small>Answered in each tenth of a second: ${keys}${detail}</small>`;
}

function drawChart(state, what) {
  const [width, height, points] = [430, 90, 120];
  const values = side => state.chart.map(point => point[side]?.[what]);
  const most = Math.max(1, ...values('stock').concat(values('ours')).filter(value => value != null));
  // A gap where nothing was asked; a point alone is a dot.
  const path = side => values(side).map((value, i, all) => value == null ? ''
    : `${all[i - 1] == null ? 'M' : 'L'}${(points - all.length + i) * width / points} ${height * (1 - value / most)}`
      + `${all[i - 1] == null && all[i + 1] == null ? 'h0' : ''}`).join('');
  const sum = side => {
    const { requests, redis } = state.totals?.[side] ?? { requests: 0 };
    return !requests ? '–' : `${(redis[what] / requests).toLocaleString('en', { maximumFractionDigits: what === 'bytes' ? 0 : 1 })} `
      + `in ${number(requests)} requests`;
  };
  const label = `Since the start: ASP.NET Core ${sum('stock')}, SessionActors ${sum('ours')}`;
  return `<svg viewBox="-34 -6 ${width + 36} ${height + 10}" role="img" aria-label="${label}">
    <path class="axis" d="M0 ${height}H${width}M0 0H${width}"/><text x="-6" y="4" text-anchor="end">${number(most)}</text>
    <text x="-6" y="${height + 4}" text-anchor="end">0</text>
    <path class="stock" d="${path('stock')}"/><path class="ours" d="${path('ours')}"/></svg>
    <small>Since the start: <span class="key stock">${sum('stock')}</span><span class="key ours">${sum('ours')}</span></small>`;
}

function drawServers(servers) {
  const name = server => `${server.id} ${server.runs ? 'runs' : '<b class="bad">killed</b>'}`;
  return !servers ? '' : `Processes: ASP.NET Core ${servers.stock.map(name).join(', ')}; SessionActors ${servers.ours.map(name).join(', ')}`;
}

// What is the same already is left alone, so that a screen reader is not told of it again.
function show(selector, html) {
  const element = $(selector);
  if (element.drawn !== html) {
    element.innerHTML = element.drawn = html;
  }
}

function say(text, failed) {
  const status = $('#status');
  status.classList.toggle('failed', failed);
  if (status.textContent !== text) {
    status.textContent = text;
  }
}
