// One moment from above: roads, lights, everyone as they truly are, what the model sees and expects, plan and what came of it.

import { KIND_COLORS, LATER, LIGHT_COLORS, SEEN, SHOWN_SCORE, corners, nominal, plannedPath, speedColor, toWorld } from "./shapes.js";

const LANE_COLORS = { sidewalk: "#25292f", shoulder: "#2b2f36", border: "#1f2328", parking: "#30353d", biking: "#26322f", median: "#1d2421", driving: "#373c45" };
const TRAIL_S = 8, DRIVEN_S = 4, LATER_M = 70;

export class BirdsEye {
  constructor(drive) {
    this.drive = drive;
    const road = drive.head.road;
    this.lanes = road.lanes.map(([kind, junction, flat]) => ({ ...shape(flat, true), color: kind === "driving" && junction ? "#3c414a" : LANE_COLORS[kind] ?? LANE_COLORS.border }));
    this.paint = road.paint.map(([color, dashed, flat]) => ({ ...shape(flat), color: color === "yellow" ? "#bd9d53" : "#9ea5af", dashed }));
    this.crosswalks = road.crosswalks.map((flat) => shape(flat, true));
    this.stops = road.stops.map(([kind, signal, flat]) => ({ ...shape(flat), kind, signal }));
    this.route = pieces(road.route).map((flat) => shape(flat));
  }

  draw({ context, width, height }, tick, zoom) {
    const pose = this.drive.pose(tick), unit = zoom;
    context.fillStyle = "#14171c";
    context.fillRect(0, 0, width, height);
    context.save();
    context.translate(width / 2, height * 0.72);
    context.rotate(pose.yaw - Math.PI / 2);
    context.scale(unit, -unit); // world y is up
    context.translate(-pose.x, -pose.y);
    const reach = Math.hypot(width / 2, height * 0.72) / unit + 2;
    this.#roads(context, tick, unit, (one) => one.left < pose.x + reach && one.right > pose.x - reach && one.low < pose.y + reach && one.high > pose.y - reach);
    this.#trail(context, tick, unit);
    this.#plan(context, tick, unit);
    this.#everyone(context, tick, unit);
    this.#seen(context, tick, unit);
    context.restore();
    scaleBar(context, width, height, unit);
  }

  #roads(context, tick, unit, isNear) {
    for (const lane of this.lanes.filter(isNear)) {
      context.fillStyle = context.strokeStyle = lane.color;
      context.lineWidth = 0.12; // covers the seams between neighbours
      context.fill(lane.path);
      context.stroke(lane.path);
    }
    context.fillStyle = "#ffffff14";
    for (const ring of this.crosswalks.filter(isNear)) context.fill(ring.path);
    context.strokeStyle = "#3e639e66";
    context.lineWidth = 1.7;
    for (const piece of this.route.filter(isNear)) context.stroke(piece.path);
    context.lineWidth = Math.max(0.16, 1 / unit);
    for (const line of this.paint.filter(isNear)) {
      context.strokeStyle = line.color;
      context.setLineDash(line.dashed ? [3, 3] : []);
      context.stroke(line.path);
    }
    context.setLineDash([]);
    const lights = this.drive.lights(tick);
    for (const stop of this.stops.filter(isNear)) {
      const state = stop.kind === "light" ? lights[stop.signal] ?? 0 : 0;
      context.strokeStyle = state ? LIGHT_COLORS[state] : "#9ea5af";
      context.lineWidth = state ? 0.55 : 0.3;
      context.stroke(stop.path);
    }
  }

  #trail(context, tick, unit) {
    const { time_s: times, x_m: x, y_m: y } = this.drive.columns;
    const line = (from, to) => {
      context.beginPath();
      for (let k = from; k <= to; k += 2) k === from ? context.moveTo(x[k], y[k]) : context.lineTo(x[k], y[k]);
      context.stroke();
    };
    context.lineWidth = 1.6 / unit;
    context.strokeStyle = "#aab2be88";
    line(this.drive.tickAt(times[tick] - TRAIL_S), tick);
    context.strokeStyle = "#ffffffcc";
    context.setLineDash([4 / unit, 4 / unit]);
    line(tick, this.drive.tickAt(times[tick] + DRIVEN_S));
    context.setLineDash([]);
  }

  #plan(context, tick, unit) {
    const made = this.drive.columns.planned[tick], plan = this.drive.thought(made)?.plan;
    if (!plan) return;
    const pose = this.drive.pose(made), points = plannedPath(plan).map((p) => ({ ...p, at: toWorld(pose, [p.x, p.y]) }));
    context.lineCap = "round";
    for (let k = points.length - 2; k >= 0; k--) {
      context.strokeStyle = points[k].reached ? speedColor(points[k].speed) : "#5e6671";
      context.lineWidth = points[k].reached ? Math.max(0.55, 3 / unit) : 1.6 / unit;
      context.beginPath();
      context.moveTo(...points[k].at);
      context.lineTo(...points[k + 1].at);
      context.stroke();
    }
    context.lineCap = "butt";
  }

  #everyone(context, tick, unit) {
    const actors = this.drive.actors(tick);
    if (!actors) return;
    for (const [k, actor] of [...actors.entries()].reverse()) {
      const info = actor.info;
      context.fillStyle = k === 0 ? "#f5f7fa" : KIND_COLORS[info.kind];
      if (info.kind === 2) {
        context.beginPath();
        context.arc(actor.x, actor.y, Math.max(0.45, 2.6 / unit), 0, 7);
        context.fill();
        continue;
      }
      fillRing(context, corners(actor.x, actor.y, actor.yaw, info.half_length_m, info.half_width_m, info.center_forward_m));
      if (info.kind === 0) { // a darker band where the windscreen is
        context.fillStyle = "#0006";
        fillRing(context, corners(actor.x, actor.y, actor.yaw, 0.14 * info.half_length_m, 0.8 * info.half_width_m, info.center_forward_m + 0.32 * info.half_length_m));
      }
    }
  }

  #seen(context, tick, unit) {
    const made = this.drive.columns.seen[tick], thought = this.drive.thought(made);
    if (!thought?.scene) return;
    const pose = this.drive.pose(made);
    this.#later(context, made, unit);
    thought.scene.objects.forEach((seen, k) => {
      if (seen.score < SHOWN_SCORE) return;
      const [halfLength, halfWidth] = nominal(seen.kind);
      context.strokeStyle = context.fillStyle = SEEN;
      context.lineWidth = 1.4 / unit;
      strokeRing(context, corners(seen.x_m, seen.y_m, seen.heading_rad, halfLength, halfWidth).map((p) => toWorld(pose, p)));
      const future = thought.forecast?.[k];
      if (!future || Math.hypot(future[2][0] - seen.x_m, future[2][1] - seen.y_m) < 1) return;
      for (const p of future) dot(context, toWorld(pose, p), 2.2 / unit);
    });
  }

  // Where everybody near truly was 1, 2 and 3 s after the model was asked: what a forecast should have said.
  #later(context, made, unit) {
    const [ego, ...others] = this.drive.actors(made) ?? [];
    const then = [1, 2, 3].map((second) => this.drive.actors(this.drive.tickAt(this.drive.columns.time_s[made] + second)));
    context.strokeStyle = LATER;
    context.lineWidth = 1.2 / unit;
    for (const actor of others.filter((one) => Math.hypot(one.x - ego.x, one.y - ego.y) < LATER_M)) {
      const places = then.map((all) => all?.find((one) => one.id === actor.id));
      if (!places[2] || Math.hypot(places[2].x - actor.x, places[2].y - actor.y) < 1) continue;
      for (const at of places) { context.beginPath(); context.arc(at.x, at.y, 3.2 / unit, 0, 7); context.stroke(); }
    }
  }
}

// Points as a path, and the box around them: what lies far away is not worth a try.
function shape(flat, closed = false) {
  const path = new Path2D(), x = flat.filter((_, k) => k % 2 === 0), y = flat.filter((_, k) => k % 2);
  x.forEach((_, k) => (k ? path.lineTo(x[k], y[k]) : path.moveTo(x[k], y[k])));
  if (closed) path.closePath();
  return { path, left: Math.min(...x), right: Math.max(...x), low: Math.min(...y), high: Math.max(...y) };
}

// A long line in pieces of some points, each beginning where the one before ends.
function pieces(flat, points = 50) {
  const made = [];
  for (let k = 0; k < flat.length - 2; k += 2 * points) made.push(flat.slice(k, k + 2 * points + 2));
  return made;
}

function ring(context, points) {
  context.beginPath();
  points.forEach((p, k) => (k ? context.lineTo(...p) : context.moveTo(...p)));
  context.closePath();
}
const fillRing = (context, points) => { ring(context, points); context.fill(); };
const strokeRing = (context, points) => { ring(context, points); context.stroke(); };
const dot = (context, [x, y], radius) => { context.beginPath(); context.arc(x, y, radius, 0, 7); context.fill(); };

function scaleBar(context, width, height, unit) {
  const metres = unit > 12 ? 5 : unit > 5 ? 10 : 20, x = width - 14 - metres * unit, y = height - 14;
  context.strokeStyle = context.fillStyle = "#8f98a5";
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(x, y - 4); context.lineTo(x, y); context.lineTo(x + metres * unit, y); context.lineTo(x + metres * unit, y - 4);
  context.stroke();
  context.font = "10.5px system-ui, sans-serif";
  context.textAlign = "center";
  context.fillText(`${metres} m`, x + metres * unit / 2, y - 5);
  context.textAlign = "left";
}
