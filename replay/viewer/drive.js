// One drive: its overview and its blocks, fetched when they are needed and kept. Knows nothing of drawing.

import { Pictures, lastNotAfter } from "./pictures.js";

const BLOCKS = 2; // under way at once

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
  }

  async load() {
    const judging = this.judge(); // takes longest
    const [head, overview] = await Promise.all([json(`/api/head/${this.path}`), json(`/api/overview/${this.path}`)])
      .catch((error) => { judging.catch(() => {}); throw error; }); // what is wrong with a log is told once
    this.head = head;
    this.columns = overview.columns;
    this.pictures.add(overview.pictures);
    this.#ending(overview);
  }

  // What came since; true when there was something.
  async follow() {
    const first = this.ticks;
    const more = await json(`/api/overview/${this.path}?first=${first}`);
    this.#ending(more);
    const count = more.columns.time_s.length;
    if (!count) return false;
    for (const [name, values] of Object.entries(more.columns)) this.columns[name].push(...values);
    this.pictures.add(more.pictures);
    this.version++;
    if (!this.head.cameras.length && Object.keys(this.pictures.times).length) this.head = await json(`/api/head/${this.path}`);
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

  // Index of the last tick not after a time; times are told to the millisecond.
  tickAt(time) { return Math.max(lastNotAfter(this.columns.time_s, time + 5e-4), 0); }

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
    }).catch(() => { this.blocks.delete(number); return new Promise((again) => setTimeout(again, 1000)); }).finally(() => { this.blocksComing--; this.version++; this.changed("block"); });
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

  // The newest pictures at a tick, {camera: {bitmap, time, tick}}; those shown before while they are fetched.
  shot(tick) {
    const { times, bitmaps } = this.pictures.at(Math.round(this.columns.time_s[tick] * 1e6) + this.startUs + 1), shot = {};
    for (const [camera, bitmap] of Object.entries(bitmaps)) {
      shot[camera] = { bitmap, time: times[camera], tick: this.tickAt((times[camera] - this.startUs) / 1e6) };
    }
    return shot;
  }
}
