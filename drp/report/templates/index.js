"use strict";
const table = document.getElementById("patients"), body = table.tBodies[0];
const rows = [...body.rows].map(row => ({ row, words: row.textContent.toLowerCase() }));
const input = document.getElementById("words"), shown = document.getElementById("shown");
function filter() {
  const wanted = input.value.toLowerCase().split(/\s+/);
  let count = 0;
  for (const one of rows) {
    one.row.hidden = !wanted.every(word => one.words.includes(word));
    count += !one.row.hidden;
  }
  shown.textContent = count + " of " + rows.length + " shown";
}
const order = new Intl.Collator("en", { numeric: true }).compare;
function sort(head) {
  const down = head.getAttribute("aria-sort") === "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const key = one => { const cell = one.row.cells[head.cellIndex]; return cell.dataset.s || cell.textContent; };
  const keyed = rows.map((one, place) => ({ one, place, key: key(one) }));
  keyed.sort((a, b) => (down ? order(b.key, a.key) : order(a.key, b.key)) || a.place - b.place);
  body.append(...keyed.map(item => item.one.row));
}
for (const head of table.tHead.rows[0].cells) {
  const button = document.createElement("button");
  button.textContent = head.textContent;
  head.replaceChildren(button);
  button.addEventListener("click", () => sort(head));
}
const form = document.getElementById("find");
form.addEventListener("submit", event => event.preventDefault());
input.addEventListener("input", filter);
form.hidden = false;
filter();
