// The page: which drives are shown, which moment it is, and who is told. State lies here and in the address, nowhere else.

import { BirdsEye } from "./birdseye.js";
import { drawOverlay, drawPicture } from "./camera.js";
import { Drive, listRuns } from "./drive.js";
import { MARKS, Plots } from "./plots.js";
import { LIGHT_COLORS, LIGHT_WORDS, clock, paint } from "./shapes.js";
import { showTalk, text } from "./talk.js";

const FRONT = ["wide", "CAM_FRONT"], FOLLOW_MS = 500, REST_MS = 120;
const $ = (id) => document.getElementById(id);
const state = { time: 0, playing: false, pace: 1, zoom: 6.5, overlay: true, chosen: 0, live: false, sought: -Infinity, dragging: false, drives: [], missing: [], panels: [], buttons: [] };
let runs = [], dirty = true, asked = false;

const plots = new Plots($("plots"), (time) => {
  const now = performance.now();
  state.dragging = now - state.sought < REST_MS;
  state.sought = now;
  pause();
  seek(time);
});

function changed(what) {
  if (what === "events") { showEvents(); showFacts(); dirty = true; }
  request();
}

function request() {
  if (asked) return;
  asked = true;
  requestAnimationFrame((now) => { asked = false; draw(now); });
}

// --- which drives ---

// Drives of the same route side by side; drives that were given one by one, all together.
function groups() {
  if (runs.length > 1 && runs.every((run) => run.drives.length === 1)) return new Map([["all", runs.map((run, k) => [k, run.drives[0]])]]);
  const found = new Map();
  runs.forEach((run, k) => run.drives.forEach((name) => found.set(name, [...(found.get(name) ?? []), [k, name]])));
  return found;
}

// Where nobody says which: the first route that most of the runs have.
function firstRoute() {
  const all = [...groups()], most = Math.max(...all.map(([, members]) => members.length));
  return all.find(([, members]) => members.length === most)[0];
}

async function choose(route) {
  const members = groups().get(route);
  if (!members) return;
  $("route").value = route;
  state.route = route;
  const drives = members.map(([run, name]) => new Drive(run, runs[run].name, name, changed));
  const results = await Promise.allSettled(drives.map((drive) => drive.load()));
  for (const drive of state.drives) drive.close();
  state.drives = drives.filter((_, k) => results[k].status === "fulfilled");
  state.missing = drives.filter((_, k) => results[k].status === "rejected");
  state.chosen = Math.min(state.chosen, Math.max(state.drives.length - 1, 0));
  arrange(results.filter((result) => result.status === "rejected").map((result) => result.reason.message));
  $("live").hidden = !state.missing.length && state.drives.every((drive) => drive.outcome);
  dirty = true;
  showEvents();
  showFacts();
  if (state.live) state.time = duration();
  seek(state.time);
}

function arrange(complaints = []) {
  const box = $("drives");
  box.className = state.drives.length > 1 ? "many" : "one";
  box.replaceChildren();
  state.panels = state.drives.map((drive, k) => panel(drive, k, box));
  box.append(...complaints.map((words) => text("div", words, "notice")));
  if (!state.drives.length) $("talk").replaceChildren();
  delete $("talk").dataset.shown;
}

function panel(drive, k, box) {
  const made = document.createElement("section");
  made.className = drive.head.cameras.length ? "drive" : "drive blind";
  made.style.setProperty("--mark", MARKS[k]);
  const title = text("h3", `${drive.runName} · ${drive.name} · ${drive.head.model}`);
  title.addEventListener("click", () => pick(k));
  const above = document.createElement("div");
  above.className = "above";
  above.append(document.createElement("canvas"), text("span", "from above", "name"));
  above.addEventListener("wheel", (event) => { event.preventDefault(); zoom(event.deltaY < 0 ? 1.12 : 1 / 1.12); }, { passive: false });
  const cameras = document.createElement("div");
  cameras.className = "cameras";
  made.append(title, cameras, above);
  box.append(made);
  const view = { drive, root: made, above: above.firstChild, birdseye: new BirdsEye(drive), cameras };
  fillCameras(view, drive.head.cameras.find((mount) => FRONT.includes(mount.name)) ?? drive.head.cameras[0]);
  return view;
}

// The camera in front is large, the others lie below it; a click brings one to the front.
function fillCameras(view, front) {
  view.front = front;
  const mounts = view.drive.head.cameras, big = document.createElement("div");
  big.className = "front";
  big.append(document.createElement("canvas"), text("span", front?.name ?? "", "name"));
  if (!front) big.append(text("div", "this drive has no pictures", "notice"));
  const low = document.createElement("div"), thumbs = document.createElement("div"), facts = document.createElement("dl");
  low.className = "low";
  thumbs.className = "thumbs";
  facts.className = "state";
  const others = mounts.filter((mount) => mount !== front), tall = others.length > 4 ? 58 : others.length > 1 ? 92 : 170;
  view.thumbs = others.map((mount) => {
    const button = document.createElement("button"), canvas = document.createElement("canvas");
    button.style.width = `${Math.round(tall * mount.width / mount.height)}px`;
    button.style.height = `${tall}px`;
    button.title = `${mount.name} to the front (c)`;
    button.append(canvas, text("span", mount.name));
    button.addEventListener("click", () => { fillCameras(view, mount); request(); });
    thumbs.append(button);
    return { mount, canvas };
  });
  low.append(thumbs, facts);
  view.cameras.replaceChildren(big, low);
  view.big = big.firstChild;
  view.state = stateOf(facts);
}

function pick(k) {
  state.chosen = k;
  delete $("talk").dataset.shown;
  showFacts();
  request();
}

// --- which moment ---

const duration = () => Math.max(...state.drives.map((drive) => drive.duration), 0);

function seek(time) {
  state.time = Math.min(Math.max(time, 0), duration());
  state.live = state.live && state.time >= duration() - 0.01;
  address();
  request();
}

let written = 0;
function address() { // browsers refuse more than some hundred changes of the address in half a minute
  clearTimeout(written);
  written = setTimeout(() => history.replaceState(null, "", linkTo()), 150);
}
const linkTo = () => `#route=${encodeURIComponent(state.route ?? "")}&t=${state.time.toFixed(2)}${state.live ? "&live" : ""}`;

function fromAddress(whole = location.href) {
  const words = new URLSearchParams(new URL(whole).hash.slice(1));
  if (words.has("t")) state.time = Number(words.get("t")) || 0;
  state.live = words.has("live");
  return words.get("route");
}

function play() { state.playing = true; state.last = null; if (state.time >= duration() - 0.01) state.time = 0; showPlay(); request(); }
function pause() { state.playing = false; showPlay(); }
function showPlay() { $("play").innerHTML = state.playing ? "&#10074;&#10074;" : "&#9654;&#xFE0E;"; }

const current = () => state.drives[state.chosen];
function step(by) {
  const drive = current(), tick = Math.min(Math.max(drive.tickAt(state.time) + by, 0), drive.ticks - 1);
  pause();
  seek(drive.columns.time_s[tick]);
}
function stepQuestion(by) {
  const drive = current(), { asked: column, time_s: times } = drive.columns, tick = drive.tickAt(state.time);
  if (by > 0) { for (let k = tick + 1; k < drive.ticks; k++) if (column[k] === k) return pause(), seek(times[k]); return; }
  const at = column[tick] === tick ? column[tick - 1] ?? -1 : column[tick];
  if (at >= 0) { pause(); seek(times[at]); }
}
function stepEvent(by) {
  const times = state.drives.flatMap((drive) => drive.events.map((event) => event.t)).sort((a, b) => a - b);
  const next = by > 0 ? times.find((t) => t > state.time + 0.02) : times.findLast((t) => t < state.time - 0.02);
  if (next !== undefined) { pause(); seek(next); }
}
function zoom(factor) { state.zoom = Math.min(Math.max(state.zoom * factor, 1.5), 30); request(); }

// --- what is shown ---

function draw(now) {
  if (state.playing) {
    if (state.last !== null) state.time += state.pace * Math.min((now - state.last) / 1000, 0.25);
    state.last = now;
    if (state.time >= duration()) { state.time = duration(); pause(); }
    address();
    request();
  }
  state.panels.forEach(drawPanel);
  if (state.drives.length) {
    plots.draw(state.drives, state.time, dirty);
    dirty = false;
    if (isHurried()) { // nobody reads what flies past
      clearTimeout(state.rest);
      state.rest = setTimeout(request, REST_MS);
    } else if (current().ticks) showTalk($("talk"), current(), current().tickAt(state.time), (time) => { pause(); seek(time); });
  }
  $("clock").textContent = clock(state.time);
  document.body.dataset.time = state.time.toFixed(3);
  document.body.dataset.frames = String(Number(document.body.dataset.frames ?? 0) + 1);
  for (const { button, t } of state.buttons) if (button.classList.contains("now") !== Math.abs(t - state.time) < 0.026) button.classList.toggle("now");
}

const isHurried = () => state.dragging && performance.now() - state.sought < REST_MS;

function drawPanel(view, k) {
  const { drive } = view;
  view.root.classList.toggle("chosen", k === state.chosen);
  if (!drive.ticks) return;
  const now = drive.tickAt(state.time), shot = drive.shot(now), front = shot[view.front?.name];
  const tick = front && isHurried() ? front.tick : now; // all of one moment, and drawn no oftener than pictures come
  if (front) {
    paint(view.big, state.overlay ? [front.time, tick, drive.version] : [front.time], (sheet) => {
      const place = drawPicture(sheet, view.front, front, true);
      if (state.overlay) drawOverlay(sheet, place, drive, view.front, tick, front);
    });
  }
  for (const { mount, canvas } of view.thumbs) {
    const picture = shot[mount.name];
    if (picture) paint(canvas, [picture.time], (sheet) => drawPicture(sheet, mount, picture, false));
  }
  paint(view.above, [tick, state.zoom, drive.version], (sheet) => view.birdseye.draw(sheet, tick, state.zoom));
  showState(view, tick);
}

// Bars and words beside the pictures, made once: a scrub changes them thirty times a second.
function stateOf(facts) {
  const meter = (name, style) => {
    const bar = text("dd", "", `meter ${style}`), fill = document.createElement("i"), value = text("dd", "");
    bar.append(fill);
    facts.append(text("dt", name), bar, value);
    return (words, share, from = 0) => {
      value.textContent = words;
      fill.style.left = `${100 * Math.min(from, from + share)}%`;
      fill.style.width = `${100 * Math.abs(share)}%`;
    };
  };
  const line = (name) => {
    const title = text("dt", name), value = text("dd", "", "wide");
    facts.append(title, value);
    return (words, color = "") => {
      title.hidden = value.hidden = !words;
      value.textContent = words;
      value.style.color = color;
    };
  };
  return {
    speed: meter("speed", ""), throttle: meter("throttle", ""), brake: meter("brake", "brake"), steer: meter("steer", "steer"),
    target: line("target"), sees: line("sees"), guard: line("guard"),
  };
}

function showState({ drive, state: shown }, tick) {
  const c = drive.columns, speed = c.speed_mps[tick] ?? 0, steer = c.steer[tick] ?? 0, seen = drive.thought(c.seen[tick])?.scene;
  shown.speed(`${speed.toFixed(1)} m/s`, Math.min(speed / 20, 1));
  shown.throttle((c.throttle[tick] ?? 0).toFixed(2), c.throttle[tick] ?? 0);
  shown.brake((c.brake[tick] ?? 0).toFixed(2), c.brake[tick] ?? 0);
  shown.steer(steer.toFixed(2), -steer / 2, 0.5);
  shown.target(c.target_mps[tick] === null ? "none" : `${c.target_mps[tick].toFixed(1)} m/s`);
  if (seen) shown.sees(`${seen.light ? `${LIGHT_WORDS[seen.light]} light` : "no light"}, ${seen.lead_gap_m === null ? "nothing ahead" : `${seen.lead_gap_m.toFixed(0)} m free`}`, seen.light ? LIGHT_COLORS[seen.light] : "");
  else if (c.seen[tick] < 0) shown.sees("");
  shown.guard(c.guard[tick] ?? "", "#d58af0");
}

function showEvents() {
  const items = [];
  state.drives.forEach((drive, k) => {
    for (const event of drive.events) {
      items.push(eventButton(event.t, `${clock(event.t).slice(0, -1)}  ${event.title}`, event.mild ? "mild" : "", k, event.message, event.loss));
    }
    for (const done of drive.directed.filter((one) => one.what === "started" || one.what === "timeout")) {
      items.push(eventButton(done.t, `${clock(done.t).slice(0, -1)}  ${done.scenario} ${done.what === "started" ? "begins" : done.what}`, "quiet", k, "", 0));
    }
  });
  items.sort((a, b) => Number(a.dataset.t) - Number(b.dataset.t));
  state.buttons = items.map((button) => ({ button, t: Number(button.dataset.t) }));
  const list = items.map((button) => { const item = document.createElement("li"); item.append(button); return item; });
  if (!state.drives.some((drive) => drive.events.length) && state.drives.some((drive) => drive.score !== null)) list.push(text("li", "no infractions", "calm"));
  $("events").replaceChildren(...list);
}

function eventButton(time, words, style, k, message, loss) {
  const button = text("button", words, style);
  if (state.drives.length > 1) {
    const mark = text("span", "", "mark");
    mark.style.background = MARKS[k];
    button.prepend(mark);
  }
  if (loss > 0.005) button.append(text("b", `−${loss.toFixed(1)}`));
  button.dataset.t = time;
  button.title = message;
  button.addEventListener("click", () => { pause(); seek(time); });
  return button;
}

function showFacts() {
  const drive = current(), facts = $("facts");
  if (!drive) return facts.replaceChildren();
  const words = [drive.head.model, drive.head.town, `seed ${drive.head.seed}`, `${drive.duration.toFixed(0)} s`].join(" · ");
  facts.replaceChildren();
  if (drive.score !== null) facts.append(text("b", drive.score.toFixed(1)), ` score, ${drive.completion.toFixed(0)} % driven · `);
  const status = drive.outcome?.status ?? (state.live ? "under way" : drive.truncated ?? "");
  facts.append(`${words} · `, text("span", drive.outcome?.reason ? `${status}: ${drive.outcome.reason}` : status, /^(Completed|Perfect)/.test(status) ? "good" : /^(Recorded|under way)/.test(status) ? "" : "bad"));
  facts.title = facts.textContent;
  document.title = `${drive.name} · ${drive.runName}`;
}

// --- who touches it ---

const KEYS = {
  ArrowLeft: (e) => (e.shiftKey ? stepQuestion(-1) : step(-1)), ArrowRight: (e) => (e.shiftKey ? stepQuestion(1) : step(1)),
  " ": () => (state.playing ? pause() : play()), n: () => stepEvent(1), p: () => stepEvent(-1),
  Home: () => { pause(); seek(0); }, End: () => { pause(); seek(duration()); },
  o: () => { state.overlay = !state.overlay; request(); }, "+": () => zoom(1.2), "=": () => zoom(1.2), "-": () => zoom(1 / 1.2),
  l: copyLink, "?": () => $("help").showModal(),
  c: () => { for (const view of state.panels) { const all = view.drive.head.cameras; if (all.length) fillCameras(view, all[(all.indexOf(view.front) + 1) % all.length]); } request(); },
};

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || $("help").open || event.target.tagName === "SELECT" || !state.drives.length) return;
  const number = Number(event.key);
  if (number >= 1 && number <= state.drives.length) return pick(number - 1);
  const act = KEYS[event.key];
  if (!act) return;
  if (event.key === " " && event.target.tagName === "BUTTON") event.target.blur();
  event.preventDefault();
  act(event);
});

async function copyLink() {
  const address = location.origin + location.pathname + linkTo();
  history.replaceState(null, "", linkTo());
  try { await navigator.clipboard.writeText(address); $("link").textContent = "copied"; } catch { $("link").textContent = "in the address bar"; }
  setTimeout(() => { $("link").textContent = "copy link"; }, 1500);
}

$("play").addEventListener("click", () => (state.playing ? pause() : play()));
$("back").addEventListener("click", () => step(-1));
$("next").addEventListener("click", () => step(1));
$("link").addEventListener("click", copyLink);
$("keys").addEventListener("click", () => $("help").showModal());
$("pace").addEventListener("change", (event) => { state.pace = parseFloat(event.target.value); event.target.blur(); });
$("route").addEventListener("change", (event) => { state.time = 0; event.target.blur(); choose(event.target.value); });
$("live").addEventListener("click", () => { state.live = !state.live; if (state.live) { state.time = duration(); request(); } });
addEventListener("hashchange", (event) => { // not location: our own late writing may have come in between
  const route = fromAddress(event.newURL);
  if (route && route !== state.route) choose(route); else seek(state.time);
});
addEventListener("resize", request);

// --- drives that still go on ---

async function followAll() {
  if (!state.drives.length || state.live) await refreshRuns();
  for (const drive of state.missing) { // one that has just begun has no whole part yet
    if (await drive.load().then(() => true, () => false)) return choose(state.route);
  }
  for (const drive of state.drives.filter((one) => !one.outcome)) {
    const came = await drive.follow();
    if (came === "nothing") continue;
    if (came === "cameras") arrange();
    dirty = true;
    if (state.live) { state.time = duration(); address(); }
    showFacts();
    request();
  }
  $("live").classList.toggle("on", state.live);
  $("live").hidden = state.drives.length > 0 && state.drives.every((drive) => drive.outcome) && !state.live;
}

// A run that goes on gets more routes; whoever follows it goes on to the newest.
async function refreshRuns() {
  const before = JSON.stringify(runs);
  runs = await listRuns();
  if (JSON.stringify(runs) === before) return;
  const names = [...groups().keys()];
  $("route").replaceChildren(...names.map((name) => { const option = text("option", name); option.value = name; return option; }));
  $("route").value = state.route ?? "";
  if (names.length && (!state.route || (state.live && state.drives.every((drive) => drive.outcome)))) await choose(state.live ? names.at(-1) : firstRoute());
}

async function begin() {
  const wanted = fromAddress();
  runs = await listRuns();
  const names = [...groups().keys()];
  $("route").replaceChildren(...names.map((name) => { const option = text("option", name); option.value = name; return option; }));
  if (names.length) await choose(names.includes(wanted) ? wanted : state.live ? names.at(-1) : firstRoute());
  else $("drives").replaceChildren(text("div", "waiting for the first tick", "notice"));
  document.body.dataset.ready = "1";
  const again = async () => { try { await followAll(); } finally { setTimeout(again, state.drives.some((drive) => !drive.outcome) || state.live || !state.drives.length ? FOLLOW_MS : 5000); } };
  setTimeout(again, FOLLOW_MS);
}

begin();
