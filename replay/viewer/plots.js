// The timeline and the curves under it, on one base of time. A click or a drag on it seeks.

import { clock, paint, sized } from "./shapes.js";

export const MARKS = ["#eceff3", "#f2a65a", "#7fd1ae", "#e58bb1"]; // one drive each
const LABEL = 76, RIGHT = 46, BAND = 20, GAP = 7, AXIS = 15;
const ROWS = [
  { name: "speed", unit: "m/s", floor: 0, least: 8, curves: [["target_mps", "#6b9cf2", 1], ["speed_mps", null, 1.5]] },
  { name: "steer", unit: "left +", least: 0.3, even: true, curves: [["steer", null, 1.3]] },
  { name: "off route", unit: "m left", least: 1, even: true, curves: [["offset_m", null, 1.3], ["lost_m", "#c6a0f0", 1, 2]] },
  { name: "model", unit: "ms", floor: 0, least: 20, curves: [["latency_ms", null, 1.1, 1]] },
];

export class Plots {
  constructor(canvas, seek) {
    this.canvas = canvas;
    this.cursor = document.createElement("i");
    this.values = document.createElement("canvas");
    this.values.style.width = `${RIGHT}px`;
    canvas.after(this.cursor, this.values);
    const at = (event) => {
      const box = canvas.getBoundingClientRect();
      return Math.min(Math.max((event.clientX - box.left - LABEL) / (box.width - LABEL - RIGHT), 0), 1) * this.duration;
    };
    canvas.addEventListener("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); seek(at(event)); });
    canvas.addEventListener("pointermove", (event) => { if (event.buttons & 1) seek(at(event)); });
  }

  get duration() { return Math.max(...(this.drives ?? []).map((drive) => drive.duration), 0.001); }

  // Everything but the cursor and the values at it is drawn once, and again when something came or the size changed.
  draw(drives, time, dirty) {
    this.drives = drives;
    if (dirty) this.canvas.shown = null;
    paint(this.canvas, [], (sheet) => this.#still(sheet.context, sheet.width, sheet.height));
    const { width } = sized(this.canvas);
    this.cursor.style.transform = `translateX(${Math.round(this.x(Math.min(time, this.duration), width))}px)`;
    this.#values(time);
  }

  x(time, width) { return LABEL + (time / this.duration) * (width - LABEL - RIGHT); }

  #still(context, width, height) {
    context.clearRect(0, 0, width, height);
    this.tops = [];
    this.#band(context, width);
    const tall = (height - BAND - AXIS - GAP * ROWS.length) / ROWS.length;
    ROWS.forEach((row, k) => this.#row(context, row, BAND + GAP + k * (tall + GAP), tall, width));
    this.#axis(context, width, height);
  }

  #band(context, width) {
    context.fillStyle = "#0f1115";
    context.fillRect(LABEL, 0, width - LABEL - RIGHT, BAND);
    context.font = "11px system-ui, sans-serif";
    context.fillStyle = "#8f98a5";
    context.fillText("events", 0, 14);
    this.drives.forEach((drive, k) => {
      const lane = BAND / this.drives.length, top = k * lane;
      this.#spans(context, drive, top, lane, width);
      const { time_s: times, guard } = drive.columns;
      context.fillStyle = "#d58af0";
      for (let tick = 0; tick < times.length; tick++) if (guard[tick]) context.fillRect(this.x(times[tick], width), top + lane - 3, 1, 3);
      for (const event of drive.events) {
        context.fillStyle = event.mild ? "#f4bb44" : "#ec5454";
        context.fillRect(this.x(event.t, width) - 1.5, top, 3, lane);
      }
    });
  }

  // While a scenario plays.
  #spans(context, drive, top, lane, width) {
    context.fillStyle = "#6b9cf244";
    for (const begun of drive.directed.filter((done) => done.what === "started")) {
      const ended = drive.directed.find((done) => done.scenario === begun.scenario && done.what === "ended" && done.t >= begun.t);
      const from = this.x(begun.t, width), to = this.x(ended ? ended.t : drive.duration, width);
      context.fillRect(from, top, Math.max(to - from, 2), lane);
      context.save();
      context.beginPath();
      context.rect(from, top, to - from, lane);
      context.clip();
      context.fillStyle = "#b9cff9";
      if (lane > 12) context.fillText(begun.scenario.replace(/_\d+$/, ""), from + 5, top + 14);
      context.restore();
      context.fillStyle = "#6b9cf244";
    }
  }

  #row(context, row, top, tall, width) {
    const [low, high] = this.#range(row), y = (value) => top + tall - ((value - low) / (high - low)) * tall;
    this.tops.push({ row, top, tall });
    context.fillStyle = "#8f98a5";
    context.font = "11px system-ui, sans-serif";
    context.fillText(row.name, 0, top + 11);
    context.fillStyle = "#5e6671";
    context.font = "10px system-ui, sans-serif";
    context.fillText(row.unit, 0, top + 23);
    context.textAlign = "right";
    context.fillText(tidy(high), LABEL - 6, top + 8);
    context.fillText(tidy(low), LABEL - 6, top + tall);
    context.textAlign = "left";
    context.fillStyle = "#1b1f26";
    context.fillRect(LABEL, top, width - LABEL - RIGHT, tall);
    if (row.even) { context.fillStyle = "#2a2f38"; context.fillRect(LABEL, y(0), width - LABEL - RIGHT, 1); }
    const many = this.drives.length > 1;
    this.drives.forEach((drive, k) => {
      for (const [name, color, thick, dots] of row.curves) {
        if (many && color) continue;
        context.strokeStyle = context.fillStyle = many ? MARKS[k] : color ?? "#eceff3";
        context.lineWidth = thick;
        this.#curve(context, drive.columns.time_s, drive.columns[name], y, width, dots);
      }
    });
    context.fillStyle = "#ec545455";
    for (const drive of this.drives) for (const event of drive.events) if (!event.mild) context.fillRect(this.x(event.t, width), top, 1, tall);
  }

  #range(row) {
    let low = row.floor ?? 0, high = row.least;
    for (const drive of this.drives) {
      for (const [name] of row.curves) for (const value of drive.columns[name]) {
        if (value > high) high = value;
        if (value < low) low = value;
      }
    }
    if (!row.even) return [low, high * 1.04];
    const reach = Math.min(Math.max(high, -low), 12);
    return [-reach, reach];
  }

  #curve(context, times, values, y, width, dots) {
    const step = Math.max(1, Math.floor(values.length / (2.5 * width)));
    let drawing = false;
    context.beginPath();
    for (let k = 0; k < values.length; k += dots ? 1 : step) {
      const value = values[k];
      if (value === null || value === undefined) { if (!dots) drawing = false; continue; }
      const px = this.x(times[k], width), py = y(Math.max(Math.min(value, 1e6), -1e6));
      if (drawing) context.lineTo(px, py); else context.moveTo(px, py);
      drawing = true;
    }
    context.save();
    context.clip(clipOf(width, y));
    context.stroke();
    context.restore();
  }

  #axis(context, width, height) {
    const steps = [0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300], wanted = this.duration / Math.max((width - LABEL) / 90, 1);
    const step = steps.find((s) => s >= wanted) ?? 600;
    context.font = "10px system-ui, sans-serif";
    context.textAlign = "center";
    for (let t = 0; t <= this.duration; t += step) {
      context.fillStyle = "#2a2f38";
      context.fillRect(this.x(t, width), BAND, 1, height - BAND - AXIS + 2);
      context.fillStyle = "#5e6671";
      context.fillText(step < 1 ? clock(t) : clock(t).slice(0, -3), this.x(t, width), height - 3);
    }
    context.textAlign = "left";
  }

  #values(time) {
    const { context, width, height } = sized(this.values), many = this.drives.length > 1;
    context.clearRect(0, 0, width, height);
    context.font = "11px system-ui, sans-serif";
    for (const { row, top, tall } of this.tops) {
      this.drives.forEach((drive, k) => {
        const [name] = row.curves.find(([, color]) => !color), value = newest(drive.columns[name], drive.tickAt(time), row.curves[0][3]);
        context.fillStyle = many ? MARKS[k] : "#eceff3";
        if (value !== null) context.fillText(tidy(value, 2), 6, many ? top + 11 + 12 * k : top + tall / 2 + 3);
      });
    }
  }
}

function clipOf(width, y) {
  const path = new Path2D();
  path.rect(LABEL, 0, width - LABEL - RIGHT, 1e4);
  return path;
}

// The value of a tick, or of the last one before it where only some ticks have one.
function newest(values, tick, sparse) {
  for (let k = tick; k >= 0 && k > tick - (sparse ? 60 : 1); k--) if (values[k] !== null && values[k] !== undefined) return values[k];
  return null;
}

function tidy(value, digits = 1) {
  return Math.abs(value) >= 20 ? value.toFixed(0) : value.toFixed(digits).replace(/\.0$/, "");
}
