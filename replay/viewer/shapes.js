// Plain geometry and colours that several views share. Frames: ego is x forward, y left; world is right-handed.

export const KIND_WORDS = ["vehicle", "cyclist", "walker", "object"];
export const KIND_COLORS = ["#70839e", "#cc925e", "#d47e9e", "#e28f42"];
export const LIGHT_WORDS = ["none", "red", "yellow", "green"];
export const LIGHT_COLORS = ["#5e6671", "#ec5454", "#f4bb44", "#52c484"];
export const SEEN = "#56d8e8", LATER = "#c6a0f0", SHOWN_SCORE = 0.3;
const NOMINAL = [[2.3, 0.95, 0.78], [0.9, 0.35, 0.85], [0.3, 0.3, 0.88]]; // half sizes when only the class is known
const SPEED_STOPS = [[0, 236, 84, 84], [2, 240, 130, 74], [5, 244, 200, 84], [9, 96, 208, 142], [14, 74, 190, 216]];

export const nominal = (kind) => NOMINAL[kind] ?? NOMINAL[0];

export function toWorld(pose, [x, y]) {
  const c = Math.cos(pose.yaw), s = Math.sin(pose.yaw);
  return [pose.x + c * x - s * y, pose.y + s * x + c * y];
}

export function fromWorld(pose, [x, y]) {
  const c = Math.cos(pose.yaw), s = Math.sin(pose.yaw), dx = x - pose.x, dy = y - pose.y;
  return [c * dx + s * dy, c * dy - s * dx];
}

// Corners of a box in the frame that its pose is told in.
export function corners(x, y, yaw, halfLength, halfWidth, forward = 0) {
  const pose = { x, y, yaw };
  return [[1, 1], [1, -1], [-1, -1], [-1, 1]].map(([a, b]) => toWorld(pose, [forward + a * halfLength, b * halfWidth]));
}

export function speedColor(speed) {
  let k = 1;
  while (k < SPEED_STOPS.length - 1 && speed > SPEED_STOPS[k][0]) k++;
  const [a, b] = [SPEED_STOPS[k - 1], SPEED_STOPS[k]];
  const share = Math.min(Math.max((speed - a[0]) / (b[0] - a[0]), 0), 1);
  return `rgb(${[1, 2, 3].map((c) => Math.round(a[c] + share * (b[c] - a[c]))).join(",")})`;
}

// A plan's path a metre apart, with the speed planned at each point: [{x, y, speed, reached}].
export function plannedPath(plan, step = 1) {
  const times = [0, ...numbers(plan.speed_times_s)], speeds = numbers(plan.speeds_mps);
  speeds.unshift(speeds[0]);
  const gone = [0];
  for (let k = 1; k < times.length; k++) gone.push(gone[k - 1] + (times[k] - times[k - 1]) * (speeds[k] + speeds[k - 1]) / 2);
  const points = rows(plan.path_ego), out = [];
  let along = 0, from = [0, 0], next = 0;
  for (const point of points) {
    const length = Math.hypot(point[0] - from[0], point[1] - from[1]);
    for (; next <= along + length && next <= 60; next += step) {
      const share = length ? (next - along) / length : 0;
      out.push({ x: from[0] + share * (point[0] - from[0]), y: from[1] + share * (point[1] - from[1]),
        speed: interpolate(next, gone, speeds), reached: next <= gone.at(-1) + 1e-6 });
    }
    along += length;
    from = point;
  }
  return out;
}

function interpolate(x, xs, ys) {
  for (let k = 1; k < xs.length; k++) {
    if (x <= xs[k]) return ys[k - 1] + (xs[k] > xs[k - 1] ? (x - xs[k - 1]) / (xs[k] - xs[k - 1]) : 0) * (ys[k] - ys[k - 1]);
  }
  return ys.at(-1);
}

// Logged arrays are nested lists, or {dtype, shape, data}.
export function numbers(array) {
  return Array.isArray(array) ? array.flat(4) : [...array.data];
}

export function rows(array) {
  if (Array.isArray(array)) return array;
  const [count, width] = array.shape, out = [];
  for (let k = 0; k < count; k++) out.push(array.data.slice(k * width, (k + 1) * width));
  return out;
}

export const shapeOf = (array) => {
  if (!Array.isArray(array)) return array.shape;
  const shape = [];
  for (let part = array; Array.isArray(part); part = part[0]) shape.push(part.length);
  return shape;
};

export function clock(time) {
  const minutes = Math.floor(time / 60 + 1e-9), seconds = Math.max(time - 60 * minutes, 0);
  return `${minutes}:${seconds.toFixed(2).padStart(5, "0")}`;
}

// Sizes as the browser tells them: asking for one costs a layout of the whole page.
const sizes = new WeakMap();
const watcher = new ResizeObserver((entries) => {
  const grown = entries.filter(({ target }) => sizes.get(target)?.join() !== sizeNow(target).join());
  for (const { target } of grown) sizes.set(target, sizeNow(target));
  if (grown.length) dispatchEvent(new Event("resize"));
});
const sizeNow = (canvas) => [canvas.clientWidth, canvas.clientHeight];

function sizeOf(canvas) {
  if (!sizes.has(canvas)) {
    sizes.set(canvas, sizeNow(canvas));
    watcher.observe(canvas);
  }
  return sizes.get(canvas);
}

// A canvas at the screen's own pixels; its context with a unit of one CSS pixel.
export function sized(canvas) {
  const ratio = window.devicePixelRatio || 1, [width, height] = sizeOf(canvas);
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return { context, width, height };
}

// Draws on a canvas unless it shows this already: `what` is everything that the drawing depends on, the canvas's size apart.
export function paint(canvas, what, draw) {
  const key = [...sizeOf(canvas), window.devicePixelRatio, ...what].join();
  if (canvas.shown === key) return;
  canvas.shown = key;
  draw(sized(canvas));
}
