// Arrow keys go from cell to cell of a table of buttons; `element` is given by Gradio.
element.addEventListener("keydown", (event) => {
  const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  const cell = event.target.closest("td");
  if (!step || !cell) return;
  event.preventDefault();
  const rows = [...element.querySelectorAll("tbody tr")];
  const row = rows.indexOf(cell.parentElement) + step[1];
  const column = cell.cellIndex + step[0];
  const cells = rows[row]?.cells;
  cells?.[Math.min(column, cells.length - 1)]?.querySelector("button")?.focus();
});
