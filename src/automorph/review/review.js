// Marks on the page of `automorph review`, by mouse or keyboard, and the file that they make.
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const marks = data.marks;
const rows = [...document.querySelectorAll(".operation")];
const known = new Map(data.operations.map((one) => [one.name, one]));
const near = 1e-9;

const viewsOf = (line) => [...line.querySelectorAll("button.view")];
const infoOf = (row) => known.get(row.dataset.name);
const lineInfo = (row, line) => infoOf(row).lines.find((one) => one.side === line.dataset.side);

function stateOf(row) {
  const mark = marks[row.dataset.name];
  if (!mark) return ["", "not judged"];
  if (mark.never) return ["never", "never happens here"];
  const found = infoOf(row).lines.filter((line) => mark.wrong[line.side]).map((line) => {
    const view = line.views.find((one) => one.from >= mark.wrong[line.side].from - near);
    return line.views.length > 1 ? `from ${view.words}` : "throughout";
  });
  return found.length ? ["wrong", `wrong ${found.join(" and ")}`] : ["fine", "fine throughout"];
}

function show(row) {
  const mark = marks[row.dataset.name];
  const [kind, words] = stateOf(row);
  const state = row.querySelector("[data-state]");
  state.textContent = words;
  state.className = `state ${kind}`;
  for (const line of row.querySelectorAll(".line")) {
    const wrong = mark && mark.wrong[line.dataset.side];
    const info = lineInfo(row, line);
    const first = wrong ? info.views.findIndex((one) => one.from >= wrong.from - near) : -1;
    viewsOf(line).forEach((view, place) => {
      const off = Boolean(mark && mark.never) || (first >= 0 && place >= first);
      view.classList.toggle("off", off);
      view.setAttribute("aria-pressed", String(place === first));
    });
  }
  row.querySelector('[data-do="fine"]').setAttribute("aria-pressed", String(kind === "fine"));
  row.querySelector('[data-do="never"]').setAttribute("aria-pressed", String(kind === "never"));
  const judged = rows.filter((one) => marks[one.dataset.name]).length;
  document.getElementById("count").textContent = `${judged} of ${rows.length} judged.`;
}

function change(row, mark) {
  const name = row.dataset.name;
  if (mark) marks[name] = mark;
  else delete marks[name];
  show(row);
  document.getElementById("status").textContent = `${name}: ${stateOf(row)[1]}`;
  keep();
}

function toggle(row, line, view) {
  const info = lineInfo(row, line).views[Number(view.dataset.place)];
  const old = marks[row.dataset.name];
  const wrong = { ...(old && !old.never ? old.wrong : {}) };
  if (view.getAttribute("aria-pressed") === "true") delete wrong[line.dataset.side];
  else wrong[line.dataset.side] = { from: info.from, right_to: info.right_to };
  change(row, Object.keys(wrong).length ? { never: false, wrong } : null);
}

function judge(row, what) {
  if (what === "clear") return change(row, null);
  const pressed = row.querySelector(`[data-do="${what}"]`).getAttribute("aria-pressed") === "true";
  change(row, pressed ? null : { never: what === "never", wrong: {} });
}

// The same rules as `automorph.policies.marks`, with ranges computed there.
function remaining(operation) {
  const mark = marks[operation.name];
  const info = known.get(operation.name);
  if (!mark || !info) return operation;
  if (mark.never || info.lines.every((line) => mark.wrong[line.side]?.right_to === null)) return null;
  const kept = { ...operation };
  for (const line of info.lines) {
    const wrong = mark.wrong[line.side];
    if (!wrong) continue;
    const [low, high] = line.views.find((one) => one.from >= wrong.from - near).kept;
    if (!info.signed || line.side === "-") kept.low = low;
    if (!info.signed || line.side === "+") kept.high = high;
  }
  return kept;
}

function file() {
  const whole = structuredClone(data.file);
  whole.review.marks = marks;
  whole.space.operations = whole.review.looked_at.operations.map(remaining).filter(Boolean);
  return JSON.stringify(whole, null, 1) + "\n";
}

const saved = document.getElementById("saved");
let changed = false;
let queue = Promise.resolve();

function post(place, body) {
  return fetch(place, { method: "POST", headers: { "Content-Type": "application/json" }, body });
}

function keep() {
  changed = true;
  if (!data.served) {
    saved.textContent = "Not downloaded yet.";
    return;
  }
  const body = JSON.stringify(marks);
  queue = queue.then(async () => {
    try {
      const answer = await post("marks", body);
      if (!answer.ok) throw new Error((await answer.text()) || `status ${answer.status}`);
      saved.textContent = `Saved to ${data.file_name}.`;
      saved.className = "";
      changed = false;
    } catch (error) {
      saved.textContent = `Not saved: ${error.message}. Is automorph review still running?`;
      saved.className = "failed";
    }
  });
}

async function finish() {
  if (data.served) {
    keep();
    await queue;
    if (changed) return;
    await post("finish", "{}");
    document.getElementById("finish").disabled = true;
    saved.textContent = `Saved to ${data.file_name}. You can close this page.`;
    return;
  }
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([file()], { type: "application/json" }));
  link.download = data.file_name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  changed = false;
  saved.textContent = "Downloaded.";
}

function focusOn(view) {
  if (!view) return;
  for (const one of view.closest(".operation").querySelectorAll("button.view")) one.tabIndex = -1;
  view.tabIndex = 0;
  view.focus();
}

function enter(row) {
  if (!row) return document.getElementById("finish").focus();
  focusOn(row.querySelector('button.view[tabindex="0"]'));
  row.scrollIntoView({ block: "nearest" });
}

function pressed(event) {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const row = event.target.closest(".operation");
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const place = rows.indexOf(row);
  const view = event.target.closest("button.view");
  const line = view && view.closest(".line");
  const steps = { ArrowRight: 1, ArrowLeft: -1 };
  if (view && key in steps) {
    focusOn(viewsOf(line)[Number(view.dataset.place) + steps[key]]);
  } else if (view && (key === "ArrowDown" || key === "ArrowUp")) {
    const lines = [...document.querySelectorAll(".line")];
    const next = lines[lines.indexOf(line) + (key === "ArrowDown" ? 1 : -1)];
    if (next) focusOn(viewsOf(next)[Math.min(view.dataset.place, viewsOf(next).length - 1)]);
  } else if (view && key === "w") {
    toggle(row, line, view);
  } else if (key === "n" || key === "f") {
    judge(row, key === "n" ? "never" : "fine");
  } else if (key === "c") {
    judge(row, "clear");
  } else if (key === "j") {
    enter(rows[place + 1]);
  } else if (key === "k") {
    enter(rows[Math.max(0, place - 1)]);
  } else {
    return;
  }
  event.preventDefault();
}

for (const row of rows) {
  row.querySelector("button.view").tabIndex = 0;
  row.addEventListener("keydown", pressed);
  row.addEventListener("click", (event) => {
    const view = event.target.closest("button.view");
    const choice = event.target.closest("[data-do]");
    if (view) {
      focusOn(view);
      toggle(row, view.closest(".line"), view);
    } else if (choice) judge(row, choice.dataset.do);
  });
  show(row);
}
document.getElementById("begin").addEventListener("click", () => enter(rows[0]));
document.getElementById("finish").addEventListener("click", finish);
addEventListener("beforeunload", (event) => {
  if (changed) event.preventDefault();
});
