// What is clicked in the Compare tab. Its content is replaced again and again, so that one listener
// on the whole serves all of it. `element`, `trigger` and `watch` are given by Gradio.
let focus = "";
const ask = (question, selector) => {
  focus = selector;
  trigger("click", question);
};

// The slider shows one of the translations that are already there: no question to the server.
const slide = (across, step) => {
  const range = across.querySelector("[data-slide]");
  const label = across.querySelector(`[data-to="${step}"]`).dataset.label;
  range.value = step;
  range.setAttribute("aria-valuetext", label);
  across.querySelector("output").textContent = label;
  for (const part of across.querySelectorAll("[data-step]")) {
    const here = part.dataset.step === String(step);
    if (part.matches("tr")) part.classList.toggle("current", here);
    else part.hidden = !here;
  }
  for (const tick of across.querySelectorAll("[data-to]")) {
    if (tick.dataset.to === String(step)) tick.setAttribute("aria-current", "true");
    else tick.removeAttribute("aria-current");
  }
};

element.addEventListener("click", (event) => {
  const at = event.target;
  const button = at.closest("button");
  if (button && button.dataset.to) return slide(button.closest(".across"), button.dataset.to);
  if (button && button.dataset.run) return ask({ run: button.dataset.run }, "");
  if (button && button.dataset.page) {
    element.scrollIntoView({ block: "start" });
    return ask({ page: Number(button.dataset.page) }, '.pager [aria-current="page"]');
  }
  const row = at.closest("[data-open]");
  if (!row || String(window.getSelection())) return; // text is being selected, not clicked
  ask({ open: Number(row.dataset.open) }, `button[data-open="${row.dataset.open}"]`);
});

element.addEventListener("input", (event) => {
  if (event.target.matches("[data-slide]")) slide(event.target.closest(".across"), event.target.value);
});

element.addEventListener("change", (event) => {
  if (event.target.matches("[data-across]")) ask({ across: event.target.value }, "[data-across]");
});

// What had the focus was replaced with the rest.
watch("value", () => {
  const wanted = focus && element.querySelector(focus);
  focus = "";
  if (wanted) wanted.focus({ preventScroll: true });
});
