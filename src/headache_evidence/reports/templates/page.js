"use strict";
for (const table of document.querySelectorAll("main table")) {
  const head = table.tHead, body = table.tBodies[0];
  if (!head || head.rows.length !== 1 || !body || body.rows.length < 2) continue;
  const key = cell => {
    const text = cell ? cell.textContent.trim().replace(/\u2212/g, "-") : "";
    const number = parseFloat(text.replace(/^[^\d.+-]+/, ""));
    return /^[^A-Za-z]*[\d.]/.test(text) && !Number.isNaN(number) ? number : text.toLowerCase();
  };
  for (const header of head.rows[0].cells) {
    if (!header.textContent.trim()) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    header.append(button);
    button.addEventListener("click", () => {
      const up = header.getAttribute("aria-sort") !== "ascending";
      for (const other of head.rows[0].cells) other.removeAttribute("aria-sort");
      header.setAttribute("aria-sort", up ? "ascending" : "descending");
      const column = header.cellIndex;
      const compare = (a, b) => {
        const x = key(a.cells[column]), y = key(b.cells[column]);
        if (x === "" || y === "") return (x === "") - (y === "");
        const order = typeof x === typeof y ? (x < y ? -1 : x > y ? 1 : 0) : typeof x === "number" ? -1 : 1;
        return up ? order : -order;
      };
      body.append(...Array.from(body.rows).sort(compare));
    });
  }
}
const fold = document.querySelector(".fold");
if (fold) {
  const all = Array.from(document.querySelectorAll("details.code"));
  fold.hidden = all.length === 0;
  fold.addEventListener("click", () => {
    const open = fold.getAttribute("aria-pressed") !== "true";
    for (const part of all) part.open = open;
    fold.setAttribute("aria-pressed", String(open));
    fold.textContent = open ? "Hide all code" : "Show all code";
  });
}
