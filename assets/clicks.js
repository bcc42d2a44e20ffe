// Clicks on the parts of an HTML block that carry data-click, whatever is put into it later.
// `element` and `trigger` are given by Gradio.
element.addEventListener("click", (event) => {
  const part = event.target.closest("[data-click]");
  if (!part || part.getAttribute("aria-disabled") === "true") return;
  if (part.getAttribute("role") === "checkbox") {
    part.setAttribute("aria-checked", part.getAttribute("aria-checked") !== "true");
  }
  // What opens a run is an event of its own, since every block answers it alike.
  const kind = part.dataset.click === "open" ? "select" : "click";
  trigger(kind, { what: part.dataset.click, value: part.dataset.value ?? "" });
});
