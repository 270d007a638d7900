// The conversation at a moment: what was asked, what was answered, what was made of it. Everything said is shown as text.

import { KIND_WORDS, LIGHT_COLORS, LIGHT_WORDS, clock, numbers, rows, shapeOf, sized } from "./shapes.js";

const LONG = 40, MANY_OBJECTS = 10;

export function showTalk(panel, drive, tick, seek) {
  const asked = drive.columns.asked[tick], planned = drive.columns.planned[tick];
  const at = asked >= 0 ? asked : planned, thought = drive.thought(at);
  if (at >= 0 && !thought) return; // on its way
  const key = `${drive.path} ${at} ${thought ? "" : "none"}`;
  if (panel.dataset.shown !== key) {
    panel.dataset.shown = key;
    panel.replaceChildren(...(thought ? thoughtParts(drive, thought, at) : [text("p", drive.columns.asked.some((one) => one >= 0) ? "Nobody was asked yet." : "On this drive nobody was asked.", "none")]));
    for (const canvas of panel.querySelectorAll("canvas")) canvas.paint?.();
    panel.querySelector(".when")?.addEventListener("click", () => seek(drive.columns.time_s[at]));
  }
  showControl(panel, drive, tick);
}

function thoughtParts(drive, thought, at) {
  const parts = [];
  if (thought.messages) {
    const when = text("small", `${clock(thought.time_s)}`, "when");
    parts.push(heading("Asked", when), ...askedParts(thought));
    const spent = thought.timings_ms.model;
    parts.push(heading("Answered", text("small", [spent && `${spent.toFixed(0)} ms`, thought.reply?.tokens && `${thought.reply.tokens} tokens`].filter(Boolean).join(" · "))));
    parts.push(...answeredParts(thought));
  }
  if (thought.scene) parts.push(heading("Sees"), ...seenParts(thought));
  const source = thought.messages ? thought : drive.thought(drive.columns.planned[at]);
  parts.push(heading("Plans", text("small", planWords(source?.plan))), ...planParts(source?.plan));
  const control = document.createElement("div");
  control.className = "control";
  parts.push(control);
  if (thought.reply) parts.push(rawParts(thought));
  return parts;
}

function askedParts(thought) {
  const images = [...(thought.images ?? [])], parts = [];
  for (const message of thought.messages) {
    const content = typeof message.content === "string" ? [{ type: "text", text: message.content }] : message.content;
    const line = document.createElement("p");
    if (message.role !== "user") line.append(text("b", `${message.role}: `));
    for (const piece of content) {
      if (piece.type === "text") line.append(`${piece.text} `);
      else line.append(text("span", pictureWords(images.shift(), thought), "saw"), " ");
    }
    parts.push(line);
  }
  return parts;
}

function pictureWords(image, thought) {
  if (!image) return "picture";
  const before = thought.previous?.find((earlier) => earlier?.name === image.name);
  return image.name + (before ? ` and ${((image.time_us - before.time_us) / 1e6).toFixed(2)} s before` : "");
}

function answeredParts(thought) {
  const parts = [], reply = thought.reply;
  if (thought.plan_error) parts.push(text("p", `no plan: ${thought.plan_error}`, "error"));
  if (!reply) return parts;
  if (reply.text) parts.push(text("p", reply.text, "reply"));
  const odds = document.createElement("dl");
  odds.className = "odds";
  const arrays = reply.arrays;
  for (const [name, probs] of Object.entries(arrays).filter(([key]) => key.endsWith("_probs"))) {
    const stem = name.slice(0, -"_probs".length), valuesName = Object.keys(arrays).find((key) => key.startsWith(`${stem}_values`));
    odds.append(text("dt", stem), bars(numbers(probs), stem), text("dd", oddsWords(stem, numbers(probs), valuesName && numbers(arrays[valuesName]))));
  }
  if (odds.childElementCount) parts.push(odds);
  return parts;
}

// The most likely answer in words: a light by its name, a number by its mean.
function oddsWords(stem, probs, values) {
  if (stem === "light") {
    const best = probs.indexOf(Math.max(...probs));
    return `${LIGHT_WORDS[best]} ${(100 * probs[best]).toFixed(0)} %`;
  }
  if (!values) return `${probs.indexOf(Math.max(...probs))}`;
  const nothing = probs.length > values.length ? probs.at(-1) : 0;
  if (nothing > 0.5) return `nothing ${(100 * nothing).toFixed(0)} %`;
  const mean = values.reduce((sum, value, k) => sum + value * probs[k], 0) / Math.max(1 - nothing, 1e-6);
  return `${mean.toFixed(1)} ${stem === "speed" ? "m/s" : "m"}`;
}

function bars(probs, stem) {
  const cell = document.createElement("dd"), canvas = document.createElement("canvas");
  cell.append(canvas);
  canvas.paint = () => {
    const { context, width, height } = sized(canvas), step = width / probs.length;
    context.fillStyle = "#2a2f38";
    context.fillRect(0, height - 1, width, 1);
    probs.forEach((prob, k) => {
      const tall = Math.max(prob > 0.004 ? 1 : 0, prob * (height - 2));
      context.fillStyle = stem === "light" ? LIGHT_COLORS[k] : k === probs.length - 1 && stem !== "speed" ? "#8f98a5" : "#6b9cf2";
      context.fillRect(k * step + (step > 4 ? 1 : 0), height - 1 - tall, Math.max(step - (step > 4 ? 2 : 0.5), 1), tall);
    });
  };
  return cell;
}

function seenParts(thought) {
  const { scene } = thought, line = document.createElement("p");
  line.append(text("span", scene.light ? `${LIGHT_WORDS[scene.light]} light (${(100 * scene.light_prob).toFixed(0)} %)` : "no light", "light"),
    ` · ${scene.lead_gap_m === null ? "nothing ahead" : `${scene.lead_gap_m.toFixed(0)} m free ahead`}`);
  line.firstChild.style.color = LIGHT_COLORS[scene.light];
  const near = scene.objects.map((seen) => ({ ...seen, far: Math.hypot(seen.x_m, seen.y_m) })).sort((a, b) => a.far - b.far);
  if (!near.length) return [line, text("p", "nobody else", "none")];
  const table = tableOf(["who", "sure", "ahead", "left", "m/s"], near.slice(0, MANY_OBJECTS).map((seen) => [
    KIND_WORDS[seen.kind], `${(100 * seen.score).toFixed(0)} %`, seen.x_m.toFixed(1), seen.y_m.toFixed(1), seen.speed_mps.toFixed(1)]));
  const rest = near.length - MANY_OBJECTS;
  return rest > 0 ? [line, table, text("p", `and ${rest} farther away`, "none")] : [line, table];
}

function planWords(plan) {
  if (!plan) return "";
  const speeds = numbers(plan.speeds_mps), last = speeds.at(-1);
  if (last < 0.3) return speeds[0] < 0.3 ? "stand" : `stop within ${numbers(plan.speed_times_s).at(-1)} s`;
  return `${last > speeds[0] + 0.7 ? "speed up to" : last < speeds[0] - 0.7 ? "slow to" : "keep"} ${last.toFixed(1)} m/s`;
}

function planParts(plan) {
  if (!plan) return [text("p", "no plan", "none")];
  const times = numbers(plan.speed_times_s), speeds = numbers(plan.speeds_mps), points = rows(plan.path_ego);
  const parts = plan.reason ? [text("p", plan.reason, "reply")] : [];
  parts.push(tableOf(["in s", ...times], [["m/s", ...speeds.map((v) => v.toFixed(1))]]));
  const every = points.filter((_, k) => k % Math.ceil(points.length / 6) === 0);
  parts.push(tableOf(["ahead m", ...every.map((p) => p[0].toFixed(1))], [["left", ...every.map((p) => p[1].toFixed(1))]]));
  return parts;
}

function showControl(panel, drive, tick) {
  const control = panel.querySelector(".control"), row = drive.decided(tick);
  if (!control || !row) return;
  const [, throttle, steer, brake, guard, lateral, longitudinal] = row, age = drive.columns.time_s[tick] - drive.columns.time_s[drive.columns.planned[tick]];
  const terms = (name, [target, error, p, i, d, saturated], said) => [name, ...[target, error, p, i, d].map((v) => typeof v === "number" ? v.toFixed(2) : String(v)), said + (saturated ? " !" : "")];
  control.replaceChildren(
    heading("Controls", text("small", age >= 0 ? `plan ${age.toFixed(2)} s old` : "")),
    tableOf(["", "target", "error", "p", "i", "d", "sent"], [
      terms("speed", longitudinal, brake > 0 ? `brake ${brake.toFixed(2)}` : `gas ${throttle.toFixed(2)}`), terms("steer", lateral, steer.toFixed(2))]));
  if (guard) control.append(text("p", `guard: ${guard}`, "guarded"));
}

function rawParts(thought) {
  const details = document.createElement("details"), lines = [];
  for (const [name, value] of Object.entries(thought.reply.arrays)) {
    const values = numbers(value), shape = shapeOf(value).join("x") || "scalar";
    lines.push(`${name} ${shape}: ${values.slice(0, LONG).map((v) => typeof v === "number" ? +v.toFixed(3) : v).join(" ")}${values.length > LONG ? " ..." : ""}`);
  }
  const spent = Object.entries(thought.timings_ms).map(([stage, ms]) => `${stage} ${ms.toFixed(1)} ms`).join(", ");
  const tokens = thought.reply.token_times_ms?.length ? `\ntokens at ${thought.reply.token_times_ms.map((ms) => ms.toFixed(0)).join(" ")} ms` : "";
  details.append(text("summary", "raw reply and timings"), text("pre", `${lines.join("\n")}\n${spent}${tokens}`));
  return details;
}

function heading(words, aside) {
  const made = text("h2", words);
  if (aside) made.append(aside);
  return made;
}

function tableOf(head, body) {
  const table = document.createElement("table"), line = (cells, tag) => {
    const row = table.insertRow();
    for (const cell of cells) row.append(text(tag, cell));
  };
  line(head, "th");
  for (const cells of body) line(cells, "td");
  return table;
}

export function text(tag, words, style) {
  const made = document.createElement(tag);
  made.textContent = words;
  if (style) made.className = style;
  return made;
}
