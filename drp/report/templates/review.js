"use strict";
// Marks wells, asks for a reason, and gives exclusions.tsv: the rows known before and the new ones.
const find = (id) => document.getElementById(id);
const known = JSON.parse(find("known").textContent);
const marked = new Set(), listed = new Map();
let sheet = known.sheet, saved = true;
const say = (words) => { find("said").textContent = words; };
const twins = (well) => document.querySelectorAll(`[data-w="${well}"]`);
const press = (well, on) => twins(well).forEach((button) => button.setAttribute("aria-pressed", on));

function mark(button) {
  const well = button.dataset.w;
  if (button.matches("[aria-disabled]")) return say(`${well} is excluded already.`);
  if (listed.has(well)) return say(`${well} is listed already; it can be taken back below.`);
  if (!marked.delete(well)) marked.add(well);
  press(well, marked.has(well));
  say(marked.size ? `Marked: ${[...marked].join(", ")}.` : "No well is marked.");
}

// One cell of the sheet by the rules of exclusion_sheet.py: one line, no formula, quotes doubled.
function cell(text) {
  const flat = text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ").trim();
  const plain = /^[=+@-]/.test(flat) ? `'${flat}` : flat;
  return plain.includes('"') ? `"${plain.replaceAll('"', '""')}"` : plain;
}

function add() {
  if (!marked.size) return say("No well is marked: click one, or press Enter on it.");
  const [reason, by] = [find("reason"), find("by")];
  reason.setCustomValidity(cell(reason.value) ? "" : "Say why the wells are taken out.");
  by.setCustomValidity(cell(by.value) ? "" : "Give your initials or your role.");
  if (!find("form").reportValidity()) return say("A reason, and initials or a role, are needed.");
  const now = new Date(), local = new Date(now - now.getTimezoneOffset() * 60000);
  for (const well of marked) listed.set(well, [reason, by].map((field) => cell(field.value)).concat(local.toISOString().slice(0, 10)));
  marked.clear();
  show();
}

function show() {
  find("listed").replaceChildren(...Array.from(listed, ([well, cells]) => {
    const row = document.createElement("tr"), back = document.createElement("button");
    back.append("Take back");
    back.setAttribute("aria-label", `Take back ${well}`);
    back.onclick = () => { listed.delete(well); press(well, false); show(); };
    for (const content of [well, ...cells, back]) row.insertCell().append(content);
    return row;
  }));
  find("list").hidden = saved = !listed.size;
  say(`${listed.size} to be excluded. Download the file when all are listed.`);
}

function download() {
  if (marked.size || !listed.size) add();
  if (marked.size || !listed.size) return;
  const rows = Array.from(listed, ([well, cells]) => [known.plate, well, ...cells].join("\t") + "\n");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([sheet, ...rows]));
  link.download = "exclusions.tsv";
  link.click();
  saved = true;
  say("Downloaded. Put exclusions.tsv into config/ and run drp again.");
}

async function start([file]) {
  const text = file ? (await file.text()).replace(/^\ufeff/, "").replace(/\r\n?/g, "\n") : "";
  const header = text.split("\n").find((line) => line.trim() && !line.startsWith("#"));
  if (header !== known.header) return say("Not taken: its columns are not those of exclusions.tsv.");
  sheet = text.endsWith("\n") ? text : text + "\n";
  say(`Taken: new rows will follow those of ${file.name}.`);
}

// Each map is one stop of the tab key; arrow keys go from well to well.
const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
document.addEventListener("keydown", (event) => {
  const step = steps[event.key], from = event.target.closest(".map td");
  if (!step || !from) return;
  event.preventDefault();
  let row = from.parentElement.rowIndex, column = from.cellIndex, next;
  do next = from.closest("table").rows[row += step[0]]?.cells[column += step[1]];
  while (next?.matches("td:empty"));
  next?.querySelector("button")?.focus();
});
document.addEventListener("focusin", ({ target }) => {
  if (!target.dataset.w) return;
  target.closest("table").querySelector('[tabindex="0"]').tabIndex = -1;
  target.tabIndex = 0;
});
for (const kind of ["focusin", "mouseover"]) document.addEventListener(kind, ({ target }) => {
  if (target.dataset?.w) find("which").textContent = target.getAttribute("aria-label");
});
document.addEventListener("click", ({ target }) => { if (target.dataset.w) mark(target); });
find("form").addEventListener("submit", (event) => { event.preventDefault(); add(); });
find("download").addEventListener("click", download);
find("present").addEventListener("change", () => start(find("present").files));
addEventListener("beforeunload", (event) => { if (!saved) event.preventDefault(); });
find("panel").hidden = false;
