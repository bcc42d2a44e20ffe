// Buttons in a text that ask to open a run, or to compare some. `element` and `trigger` are given
// by Gradio.
element.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-open], button[data-compare], button[data-chosen]");
  if (!button) return;
  if (button.dataset.open) trigger("click", { open: button.dataset.open });
  else if (button.dataset.compare) trigger("click", { compare: button.dataset.compare.split(" ") });
  else {
    const ticked = [...element.querySelectorAll("input[data-run]:checked")];
    trigger("click", { compare: ticked.map((box) => box.dataset.run) });
  }
});
