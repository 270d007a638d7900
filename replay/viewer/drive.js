// One drive: its overview and its blocks, fetched when they are needed and kept. Knows nothing of drawing.

import { Pictures, lastNotAfter } from "./pictures.js";

const BLOCKS = 2; // under way at once
const JUDGED_MS = 5000, JUDGED_SHARE = 20; // a growing drive is judged anew so often, or after so many times what it took

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
    this.blocksComing = 0;
    this.version = 0; // counts what has come of blocks and ticks
    this.pictures = new Pictures(this.path, () => changed("picture"));
    this.events = [];
    this.directed = [];
    this.score = null;
    this.judgeAgain = Infinity;
  }

  async load() {
    const judging = Promise.allSettled([this.judge()]); // takes longest
    const [head, overview] = await Promise.all([json(`/api/head/${this.path}`), json(`/api/overview/${this.path}`)]);
    judging.then(([{ reason }]) => { if (reason) throw reason; }); // not before: what is wrong with a log is told once
    this.head = head;
    this.columns = overview.columns;
    this.pictures.add(overview.pictures);
    this.#ending(overview);
  }

  // What came since: "nothing", "more", or "cameras" when pictures are among it for the first time.
  async follow() {
    const first = this.ticks, size = this.head.block_ticks;
    const more = await json(`/api/overview/${this.path}?first=${first}`), count = more.columns.time_s.length;
    const isBlind = !this.head.cameras.length, isEnding = more.outcome && !this.outcome;
    if (count) {
      if (this.blocks.has(Math.floor(Math.max(first - 1, 0) / size))) { // else the newest tick would lack its road users for a moment
        for (let number = Math.floor(first / size); number * size < first + count; number++) this.blocks.set(number, await this.#block(number));
      }
      for (const [name, values] of Object.entries(more.columns)) this.columns[name].push(...values);
      this.pictures.add(more.pictures);
      this.version++;
    }
    this.#ending(more);
    if (isEnding || performance.now() > this.judgeAgain) await this.judge();
    if (isBlind && Object.keys(this.pictures.times).length) {
      this.head = await json(`/api/head/${this.path}`);
      return "cameras";
    }
    return count || isEnding ? "more" : "nothing";
  }

  async judge() {
    const began = performance.now(), said = await json(`/api/events/${this.path}`), now = performance.now();
    this.judgeAgain = now + Math.max(JUDGED_MS, JUDGED_SHARE * (now - began)); // a drive that goes on
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

  // Index of the last tick not after a time; times are told to the millisecond.
  tickAt(time) { return Math.max(lastNotAfter(this.columns.time_s, time + 5e-4), 0); }

  pose(tick) {
    const c = this.columns;
    return { x: c.x_m[tick], y: c.y_m[tick], yaw: c.yaw_rad[tick] };
  }

  // The block of a tick when it is there; asks for it, and for the one after it, when not.
  #blockOf(tick) {
    const size = this.head.block_ticks, number = Math.floor(tick / size), block = this.#wanted(number);
    if (block && tick % size > size / 2) this.#wanted(number + 1);
    return block;
  }

  #wanted(number) {
    const known = this.blocks.get(number);
    if (known) return known instanceof Promise ? null : known;
    if (!(number * this.head.block_ticks < this.ticks) || this.blocksComing >= BLOCKS) return null; // asked for again when one came
    this.blocksComing++;
    this.blocks.set(number, this.#block(number).then((block) => this.blocks.set(number, block))
      .catch(() => { this.blocks.delete(number); return new Promise((again) => setTimeout(again, 1000)); })
      .finally(() => { this.blocksComing--; this.version++; this.changed("block"); }));
    return null;
  }

  async #block(number) {
    const block = await json(`/api/block/${this.path}?number=${number}`);
    block.decided = new Map(block.ticks.map((row) => [row[0], row]));
    return block;
  }

  // Everyone at a tick: [{id, x, y, yaw, speed, info}], the ego first. Null while it is fetched.
  actors(tick) {
    const block = this.#blockOf(tick);
    const flat = block?.actors[tick - block.number * this.head.block_ticks];
    if (!flat) return null;
    const all = [];
    for (let k = 0; k < flat.length; k += 5) {
      all.push({ id: flat[k], x: flat[k + 1], y: flat[k + 2], yaw: flat[k + 3], speed: flat[k + 4], info: block.infos[flat[k]] });
    }
    return all;
  }

  lights(tick) {
    const block = this.#blockOf(tick);
    return block?.lights[tick - block.number * this.head.block_ticks] ?? {};
  }

  // [index, throttle, steer, brake, guard, lateral terms, longitudinal terms], or nothing.
  decided(tick) { return this.#blockOf(tick)?.decided.get(tick); }

  // What was asked and said on a tick, or nothing.
  thought(tick) { return tick < 0 ? null : this.#blockOf(tick)?.thoughts[tick]; }

  // The newest pictures at a tick, {camera: {bitmap, time, tick}}; those shown before while they are fetched.
  shot(tick) {
    const { times, bitmaps } = this.pictures.at(Math.round(this.columns.time_s[tick] * 1e6) + this.startUs + 1), shot = {};
    for (const [camera, bitmap] of Object.entries(bitmaps)) {
      shot[camera] = { bitmap, time: times[camera], tick: this.tickAt((times[camera] - this.startUs) / 1e6) };
    }
    return shot;
  }

  close() { this.pictures.close(); }
}
