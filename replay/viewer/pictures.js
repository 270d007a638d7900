// The pictures of one drive. All cameras of a moment come in one answer and are kept as they were logged; those looked at
// lately, ready to draw. Knows nothing of drawing.

const FETCHES = 2; // answers under way at once; more would only bring what nobody wants any more
const WISHES = 3; // a long scrub leaves the older ones unfulfilled
const AHEAD = 2; // moments fetched before they are wished for
const KEPT_BYTES = 128e6, READY = 48; // of pictures as logged; moments ready to draw

export class Pictures {
  // `arrived` is called whenever pictures that were wished for can be drawn.
  constructor(path, arrived) {
    this.path = path;
    this.arrived = arrived;
    this.times = {}; // camera -> times in microseconds, sorted
    this.shots = new Map(); // key -> {key, times, jpegs, bytes, bitmaps}, oldest use first
    this.wishes = new Map(); // key -> [times, number], newest last
    this.underway = new Set();
    this.wished = 0;
    this.bytes = 0;
    this.shown = { times: {}, bitmaps: {}, number: 0 };
  }

  add(times) {
    for (const [camera, more] of Object.entries(times)) (this.times[camera] ??= []).push(...more);
  }

  // The newest pictures not after a time: {times, bitmaps} by camera. Until they are there, those that came last.
  at(timeUs) {
    const { key, times } = this.#moment(timeUs, 0), shot = this.shots.get(key);
    if (shot?.bitmaps) {
      this.#touch(shot);
      this.shown = { ...shot, number: ++this.wished };
      this.#foresee(timeUs);
    } else if (key) {
      this.wishes.delete(key);
      this.wishes.set(key, [times, ++this.wished]);
      if (this.wishes.size > WISHES) this.wishes.delete(this.wishes.keys().next().value);
    }
    this.#pump();
    return this.shown;
  }

  // The pictures of a time, or so many before or after them: what each camera's newest is, and how to ask for them.
  #moment(timeUs, by) {
    const times = {}, words = [];
    for (const [camera, all] of Object.entries(this.times)) {
      const at = lastNotAfter(all, timeUs) + by;
      if (at < 0 || at >= all.length) continue;
      times[camera] = all[at];
      words.push(`${encodeURIComponent(camera)}=${all[at]}`);
    }
    return { key: words.join("&"), times };
  }

  // Whoever steps or plays goes on in the same direction.
  #foresee(timeUs) {
    const ahead = timeUs < this.before ? -1 : 1;
    this.before = timeUs;
    this.coming = [];
    for (let k = 1; k <= AHEAD; k++) {
      const { key, times } = this.#moment(timeUs, k * ahead);
      if (key && !this.shots.get(key)?.bitmaps) this.coming.push([key, [times, 0]]);
    }
  }

  #next() {
    for (const wish of [...this.wishes].reverse()) if (!this.underway.has(wish[0])) return wish;
    return this.wishes.size ? undefined : this.coming?.find(([key]) => !this.underway.has(key));
  }

  async #pump() {
    const next = this.underway.size < FETCHES && this.#next();
    if (!next) return;
    const [key, [times, number]] = next;
    this.underway.add(key);
    this.wishes.delete(key);
    try {
      const shot = this.shots.get(key) ?? (await this.#fetched(key, times));
      shot.bitmaps ??= await decoded(shot.jpegs);
      this.#touch(shot);
      this.#forget();
      if (number > this.shown.number) {
        this.shown = { ...shot, number };
        this.arrived();
      }
    } finally {
      this.coming = this.coming?.filter(([other]) => other !== key);
      this.underway.delete(key);
      this.#pump();
    }
  }

  async #fetched(key, times) {
    const answer = await fetch(`/pictures/${this.path}?${key}`);
    if (!answer.ok) throw new Error(await answer.text());
    const body = new Uint8Array(await answer.arrayBuffer()), head = body.indexOf(10), jpegs = {};
    const lengths = JSON.parse(new TextDecoder().decode(body.subarray(0, head)));
    let from = head + 1;
    Object.keys(times).forEach((camera, k) => { jpegs[camera] = body.subarray(from, from += lengths[k]); });
    this.bytes += body.length;
    return { key, times, jpegs, bytes: body.length };
  }

  #touch(shot) {
    this.shots.delete(shot.key);
    this.shots.set(shot.key, shot);
  }

  #forget() {
    const old = [...this.shots.values()].reverse().filter((shot) => shot.bitmaps).slice(READY);
    for (const shot of old) this.#release(shot);
    for (const shot of this.shots.values()) {
      if (this.bytes <= KEPT_BYTES) return;
      this.#release(shot);
      this.shots.delete(shot.key);
      this.bytes -= shot.bytes;
    }
  }

  #release(shot) {
    if (!shot.bitmaps || shot.key === this.shown.key) return;
    for (const bitmap of Object.values(shot.bitmaps)) bitmap.close();
    shot.bitmaps = null;
  }

  close() {
    this.shown = { times: {}, bitmaps: {}, number: Infinity };
    for (const shot of this.shots.values()) this.#release(shot);
  }
}

// A damaged picture is left out.
async function decoded(jpegs) {
  const ready = await Promise.all(Object.entries(jpegs).map(async ([camera, jpeg]) => [camera, await decode(jpeg).catch(() => null)]));
  return Object.fromEntries(ready.filter(([, bitmap]) => bitmap));
}

// Eight pictures take 1.4 ms here and 12 ms by way of blobs, which older browsers need.
async function decode(jpeg) {
  const type = "image/jpeg";
  if (!window.ImageDecoder) return createImageBitmap(new Blob([jpeg], { type }));
  const decoder = new ImageDecoder({ data: jpeg, type });
  try { return (await decoder.decode()).image; } finally { decoder.close(); }
}

export function lastNotAfter(sorted, value) {
  let low = 0, high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] <= value) low = middle + 1; else high = middle;
  }
  return low - 1;
}
