// One drive: its overview, its blocks and its pictures, fetched when they are needed and kept. Knows nothing of drawing.

const KEPT_PICTURES = 900;
const BLOCKS = 2; // blocks under way at once
const FETCHES = 6; // pictures under way at once: a browser opens no more connections to one server

async function json(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

export const listRuns = () => json("/api/runs");

export class Drive {
  // `changed` is called whenever something has arrived that a picture of this moment may need.
  constructor(run, runName, name, changed) {
    this.run = run;
    this.runName = runName;
    this.name = name;
    this.changed = changed;
    this.path = `${run}/${encodeURIComponent(name)}`;
    this.blocks = new Map(); // number -> block, or the promise of one
    this.bitmaps = new Map(); // address -> ImageBitmap, oldest use first
    this.waiting = new Map(); // address -> true, newest last
    this.fetching = 0;
    this.blocksComing = 0;
    this.events = [];
    this.directed = [];
    this.score = null;
  }

  async load() {
    const [head, overview] = await Promise.all([json(`/api/head/${this.path}`), json(`/api/overview/${this.path}`)]);
    this.head = head;
    this.columns = overview.columns;
    this.pictures = overview.pictures;
    this.#ending(overview);
    this.judge();
  }

  // What came since; true when there was something.
  async follow() {
    const first = this.ticks;
    const more = await json(`/api/overview/${this.path}?first=${first}`);
    this.#ending(more);
    const count = more.columns.time_s.length;
    if (!count) return false;
    for (const [name, values] of Object.entries(more.columns)) this.columns[name].push(...values);
    for (const [name, times] of Object.entries(more.pictures)) (this.pictures[name] ??= []).push(...times);
    if (!this.head.cameras.length && Object.keys(this.pictures).length) this.head = await json(`/api/head/${this.path}`);
    this.blocks.delete(Math.floor(first / this.head.block_ticks)); // it was not full
    return true;
  }

  async judge() {
    const said = await json(`/api/events/${this.path}`);
    Object.assign(this, { events: said.events, directed: said.directed, score: said.score, completion: said.completion });
    this.changed("events");
  }

  #ending(overview) {
    this.startUs = overview.start_us;
    this.outcome = overview.outcome;
    this.truncated = overview.truncated;
  }

  get ticks() { return this.columns.time_s.length; }
  get duration() { return this.ticks ? this.columns.time_s[this.ticks - 1] : 0; }

  // Index of the last tick not after a time.
  tickAt(time) { return Math.max(lastNotAfter(this.columns.time_s, time + 1e-6), 0); }

  pose(tick) {
    const c = this.columns;
    return { x: c.x_m[tick], y: c.y_m[tick], yaw: c.yaw_rad[tick] };
  }

  // The block of a tick when it is there; asks for it, and for the one after it, when not.
  #block(tick) {
    const size = this.head.block_ticks, number = Math.floor(tick / size), block = this.#fetchBlock(number);
    if (block && tick % size > size / 2) this.#fetchBlock(number + 1);
    return block;
  }

  #fetchBlock(number) {
    const known = this.blocks.get(number);
    if (known) return known instanceof Promise ? null : known;
    if (number * this.head.block_ticks >= this.ticks || this.blocksComing >= BLOCKS) return null; // asked for again when one came
    this.blocksComing++;
    const promise = json(`/api/block/${this.path}?number=${number}`).then((block) => {
      block.decided = new Map(block.ticks.map((row) => [row[0], row]));
      this.blocks.set(number, block);
    }).catch(() => { this.blocks.delete(number); return new Promise((again) => setTimeout(again, 1000)); }).finally(() => { this.blocksComing--; this.changed("block"); });
    this.blocks.set(number, promise);
    return null;
  }

  // Everyone at a tick: [{id, x, y, yaw, speed, info}], the ego first. Null while it is fetched.
  actors(tick) {
    const block = this.#block(tick);
    const flat = block?.actors[tick - block.number * this.head.block_ticks];
    if (!flat) return null;
    const all = [];
    for (let k = 0; k < flat.length; k += 5) {
      all.push({ id: flat[k], x: flat[k + 1], y: flat[k + 2], yaw: flat[k + 3], speed: flat[k + 4], info: block.infos[flat[k]] });
    }
    return all;
  }

  lights(tick) {
    const block = this.#block(tick);
    return block?.lights[tick - block.number * this.head.block_ticks] ?? {};
  }

  // [index, throttle, steer, brake, guard, lateral terms, longitudinal terms], or nothing.
  decided(tick) { return this.#block(tick)?.decided.get(tick); }

  // What was asked and said on a tick, or nothing.
  thought(tick) { return tick < 0 ? null : this.#block(tick)?.thoughts[tick]; }

  // The newest picture of a camera not after a time: {bitmap, tick}. Asks for it; meanwhile the one before it that is there.
  picture(camera, time) {
    const times = this.pictures[camera];
    if (!times?.length) return null;
    const at = lastNotAfter(times, Math.round(time * 1e6) + this.startUs + 1);
    if (at < 0) return null;
    let shown = null;
    for (let k = at; k >= 0 && k > at - 12 && !shown; k--) shown = this.#bitmap(camera, times[k], k === at);
    this.#bitmap(camera, times[Math.min(at + 1, times.length - 1)], true);
    return shown && { bitmap: shown.bitmap, tick: this.tickAt((shown.time - this.startUs) / 1e6), newest: shown.time === times[at] };
  }

  #bitmap(camera, time, wanted) {
    const address = `/picture/${this.path}/${encodeURIComponent(camera)}/${time}.jpg`;
    const bitmap = this.bitmaps.get(address);
    if (bitmap) {
      this.bitmaps.delete(address);
      this.bitmaps.set(address, bitmap);
      return { bitmap, time };
    }
    if (wanted && !this.waiting.has(address)) {
      this.waiting.set(address, true);
      this.#pump();
    }
    return null;
  }

  // The newest wishes first; a long scrub leaves most of the older ones unfulfilled.
  async #pump() {
    if (this.fetching >= FETCHES || !this.waiting.size) return;
    const address = [...this.waiting.keys()].pop();
    this.waiting.delete(address);
    if (this.waiting.size > 40) this.waiting.clear();
    this.fetching++;
    try {
      const answer = await fetch(address);
      if (answer.ok) {
        this.bitmaps.set(address, await createImageBitmap(await answer.blob()));
        if (this.bitmaps.size > KEPT_PICTURES) this.bitmaps.delete(this.bitmaps.keys().next().value);
        this.changed("picture");
      }
    } finally {
      this.fetching--;
      this.#pump();
    }
  }
}

export function lastNotAfter(sorted, value) {
  let low = 0, high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] <= value) low = middle + 1; else high = middle;
  }
  return low - 1;
}
