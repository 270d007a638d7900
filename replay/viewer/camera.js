// Pictures of the cameras, with what the model saw and planned drawn where it lies on the road.

import { KIND_WORDS, SEEN, SHOWN_SCORE, corners, fromWorld, nominal, plannedPath, speedColor, toWorld } from "./shapes.js";

const NEAR = 0.4, HALF_WIDTH = 0.85, LABELLED = 6, LABEL_HEIGHT = 15, LABEL_ROWS = 4;

// A picture as large as fits, or as fills the canvas where it is not to be contained.
export function drawPicture({ context, width, height }, mount, picture, contain) {
  context.clearRect(0, 0, width, height);
  const scale = (contain ? Math.min : Math.max)(width / mount.width, height / mount.height);
  const left = (width - mount.width * scale) / 2, top = (height - mount.height * scale) / 2;
  context.imageSmoothingQuality = "high";
  context.drawImage(picture.bitmap, left, top, mount.width * scale, mount.height * scale);
  return { left, top, scale };
}

// What the model saw and planned, on the picture that lies at a place of the canvas.
export function drawOverlay({ context }, { left, top, scale }, drive, mount, tick, picture) {
  context.save();
  context.beginPath();
  context.rect(left, top, mount.width * scale, mount.height * scale);
  context.clip();
  const project = projector(mount, scale, left, top), now = drive.pose(picture.tick);
  drawPlan(context, drive, tick, now, project);
  drawLabels(context, drawSeen(context, drive, tick, now, project), left, left + mount.width * scale, top);
  context.restore();
}

// Ego point -> [x, y, depth] on the canvas.
function projector(mount, scale, left, top) {
  const [right, down, forward] = mount.ego_to_camera, dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
  return (x, y, z) => {
    const d = [x - mount.x_m, y - mount.y_m, z - mount.z_m], depth = dot(forward, d);
    return [left + scale * (mount.focal_px * dot(right, d) / depth + mount.width / 2),
      top + scale * (mount.focal_px * dot(down, d) / depth + mount.height / 2), depth];
  };
}

function drawPlan(context, drive, tick, now, project) {
  const made = drive.columns.planned[tick], plan = drive.thought(made)?.plan;
  if (!plan) return;
  const then = drive.pose(made), path = plannedPath(plan, 0.5);
  const moved = path.map((p) => fromWorld(now, toWorld(then, [p.x, p.y])));
  const sides = moved.map((point, k) => {
    const a = moved[Math.max(k - 1, 0)], b = moved[Math.min(k + 1, moved.length - 1)];
    const length = Math.hypot(b[0] - a[0], b[1] - a[1]) || 1, nx = -(b[1] - a[1]) / length, ny = (b[0] - a[0]) / length;
    return [1, -1].map((s) => project(point[0] + s * HALF_WIDTH * nx, point[1] + s * HALF_WIDTH * ny, 0));
  });
  for (let k = path.length - 2; k >= 0; k--) {
    const [[l0, r0], [l1, r1]] = [sides[k], sides[k + 1]];
    if (Math.min(l0[2], r0[2], l1[2], r1[2]) < NEAR) continue;
    const fade = Math.min(Math.max(1 - (l0[2] - 5) / 75, 0.4), 1);
    context.globalAlpha = (path[k].reached ? 0.5 : 0.2) * fade;
    context.fillStyle = path[k].reached ? speedColor(path[k].speed) : "#8f98a5";
    context.beginPath();
    context.moveTo(l0[0], l0[1]);
    for (const p of [l1, r1, r0]) context.lineTo(p[0], p[1]);
    context.fill();
  }
  context.globalAlpha = 1;
}

// Boxes and futures; what is to be written over the nearest ones, the nearest first.
function drawSeen(context, drive, tick, now, project) {
  const made = drive.columns.seen[tick], thought = drive.thought(made);
  if (!thought?.scene) return [];
  const then = drive.pose(made), labels = [];
  const objects = thought.scene.objects.map((seen, k) => ({ seen, k })).filter(({ seen }) => seen.score >= SHOWN_SCORE)
    .sort((a, b) => b.seen.x_m - a.seen.x_m);
  for (const { seen, k } of objects) {
    const [x, y] = fromWorld(now, toWorld(then, [seen.x_m, seen.y_m]));
    drawFuture(context, thought.forecast?.[k], then, now, [x, y], project);
    labels.unshift(drawBox(context, seen, x, y, seen.heading_rad + then.yaw - now.yaw, project));
  }
  return labels.filter(Boolean).slice(0, LABELLED);
}

function drawBox(context, seen, x, y, yaw, project) {
  const [halfLength, halfWidth, halfHeight] = nominal(seen.kind);
  const ring = corners(x, y, yaw, halfLength, halfWidth);
  const low = ring.map(([a, b]) => project(a, b, 0)), high = ring.map(([a, b]) => project(a, b, 2 * halfHeight));
  if ([...low, ...high].some((p) => p[2] < NEAR)) return null;
  context.strokeStyle = SEEN;
  context.lineWidth = 1.2;
  context.beginPath();
  for (const face of [low, high]) {
    face.forEach((p, k) => (k ? context.lineTo(p[0], p[1]) : context.moveTo(p[0], p[1])));
    context.closePath();
  }
  low.forEach((p, k) => { context.moveTo(p[0], p[1]); context.lineTo(high[k][0], high[k][1]); });
  context.stroke();
  const across = high.map((p) => p[0]);
  return {
    text: `${KIND_WORDS[seen.kind]} ${Math.hypot(x, y).toFixed(0)} m · ${seen.speed_mps.toFixed(0)} m/s`,
    x: (Math.min(...across) + Math.max(...across)) / 2, y: Math.min(...high.map((p) => p[1])) - 5,
  };
}

function drawFuture(context, future, then, now, [x, y], project) {
  if (!future) return;
  const points = future.map((p) => fromWorld(now, toWorld(then, p)));
  if (Math.hypot(points.at(-1)[0] - x, points.at(-1)[1] - y) < 1) return;
  const places = [[x, y], ...points].map(([a, b]) => project(a, b, 0));
  if (places.some((p) => p[2] < NEAR)) return;
  context.strokeStyle = context.fillStyle = SEEN;
  context.lineWidth = 1;
  context.beginPath();
  places.forEach((p, k) => (k ? context.lineTo(p[0], p[1]) : context.moveTo(p[0], p[1])));
  context.stroke();
  for (const p of places.slice(1)) { context.beginPath(); context.arc(p[0], p[1], 2.4, 0, 7); context.fill(); }
}

// The nearest keeps its place; one that would lie on another moves up, with a line down to its box, or is left out.
function drawLabels(context, labels, left, right, top) {
  const placed = [];
  context.font = "11px system-ui, sans-serif";
  for (const { text, x, y } of labels) {
    if (x < left || x > right) continue;
    const width = context.measureText(text).width + 8, place = { text, x, y, left: Math.min(Math.max(x - width / 2, left), right - width), width };
    for (let row = 0; row < LABEL_ROWS; row++) {
      place.top = Math.max(y, top + LABEL_HEIGHT) - 13 - row * (LABEL_HEIGHT + 2);
      if (place.top < top || placed.some((other) => overlap(place, other))) continue;
      placed.push(place);
      break;
    }
  }
  context.strokeStyle = SEEN;
  context.lineWidth = 1;
  context.beginPath();
  for (const place of placed.filter((one) => one.top < one.y - 13)) {
    context.moveTo(Math.min(Math.max(place.x, place.left), place.left + place.width), place.top + LABEL_HEIGHT);
    context.lineTo(place.x, place.y + 5);
  }
  context.stroke();
  for (const place of placed) {
    context.fillStyle = "#0b0d10cc";
    context.fillRect(place.left, place.top, place.width, LABEL_HEIGHT);
    context.fillStyle = SEEN;
    context.fillText(place.text, place.left + 4, place.top + 11);
  }
}

function overlap(a, b) {
  return a.left < b.left + b.width && b.left < a.left + a.width && Math.abs(a.top - b.top) < LABEL_HEIGHT;
}
