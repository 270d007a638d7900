"use strict";

// Tables: a click on a heading sorts by that column, a second one the other way round.
for (const table of document.querySelectorAll(".sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => head.addEventListener("click", () => {
    const down = head.getAttribute("aria-sort") === "ascending";
    heads.forEach(other => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const key = row => row.cells[column].dataset.v;
    const order = (a, b) => isNaN(key(a)) || isNaN(key(b)) ? key(a).localeCompare(key(b), undefined, {numeric: true}) : key(a) - key(b);
    const rows = [...table.tBodies[0].rows].sort(order);
    table.tBodies[0].append(...(down ? rows.reverse() : rows));
  }));
}

// The table's filter: words that all must occur in a row, and one way of ending at a time; a route that is hidden in the
// table is hidden below too.
for (const part of document.querySelectorAll(".routes")) {
  const words = part.querySelector("input"), count = part.querySelector("output");
  const states = [...part.querySelectorAll("button[data-state]")];
  const rows = [...part.querySelectorAll("tbody tr")];
  const apply = () => {
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    const state = states.find(button => button.getAttribute("aria-pressed") === "true");
    let shown = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !wanted.every(word => text.includes(word)) || (state && row.dataset.state !== state.dataset.state);
      const drive = document.getElementById(row.cells[0].dataset.v);
      if (drive) drive.closest("details").hidden = row.hidden;
      shown += !row.hidden;
    }
    count.textContent = shown === rows.length ? "" : `${shown} of ${rows.length} routes`;
  };
  words.addEventListener("input", apply);
  states.forEach(button => button.addEventListener("click", () => {
    const pressed = button.getAttribute("aria-pressed") === "true";
    states.forEach(other => other.setAttribute("aria-pressed", other === button && !pressed));
    apply();
  }));
}

// Drives: whatever names a second jumps the video there; playhead and place on the map follow it.
for (const player of document.querySelectorAll(".player")) {
  const drive = JSON.parse(player.dataset.drive);
  const video = player.querySelector("video");
  const here = player.querySelector(".map .here");
  const heads = player.querySelectorAll(".playhead");

  const show = second => {
    const share = Math.min(Math.max(second / drive.span, 0), 1) || 0;
    heads.forEach(head => {
      head.setAttribute("d", `M${share * 1000} 0V100`);
      head.style.visibility = "visible";
    });
    const place = drive.track[Math.min(Math.round(second / drive.step), drive.track.length - 1)];
    if (place) here.setAttribute("d", `M${place[0]} ${place[1]}h0`);
  };
  const jump = second => {
    show(second);
    if (!video) return;
    video.currentTime = Math.max(second - 1, 0);
    video.play();
    const box = video.getBoundingClientRect();
    if (box.top < 0 || box.bottom > innerHeight) video.scrollIntoView({block: "center"});
  };

  player.querySelectorAll("[data-seek]").forEach(mark => {
    const go = () => jump(Number(mark.dataset.seek));
    mark.addEventListener("click", go);
    mark.addEventListener("keydown", event => { if (event.key === "Enter") go(); });
  });
  player.querySelectorAll(".plot").forEach(plot => plot.addEventListener("click", event => {
    const box = plot.getBoundingClientRect();
    const second = (event.clientX - box.left) / box.width * drive.span;
    show(second);
    if (video) video.currentTime = second;
  }));
  if (video) {
    const play = player.querySelector(".play");
    play.addEventListener("click", () => video.play());
    video.addEventListener("play", () => {
      play.hidden = true;
      video.controls = true;
    });
    const follow = () => {
      show(video.currentTime);
      if (!video.paused) requestAnimationFrame(follow);
    };
    video.addEventListener("play", follow);
    video.addEventListener("seeked", () => show(video.currentTime));
  }
}

// A link to a route unfolds it.
const unfold = () => {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  target.closest("details").open = true;
  target.scrollIntoView();
};
addEventListener("hashchange", unfold);
unfold();
