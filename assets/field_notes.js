// Says beside each field of the form what is wrong with it, what it comes to, and its default for
// this run. `value`: {problems: {field: sentence}, hints: {field: text}, defaults: {field: text}}.
const place = (field) => document.getElementById(field.replaceAll("_", "-"));
const box = (field) => place(field)?.closest(".field-box") ?? place(field);
const say = (kind, said) => {
  for (const old of document.querySelectorAll(`.${kind}`)) {
    if (!(old.dataset.field in said)) old.remove();
  }
  for (const [field, text] of Object.entries(said)) {
    const block = box(field);
    if (!block) continue;
    let note = block.querySelector(`:scope > .${kind}`);
    if (!note) {
      note = document.createElement("p");
      note.className = kind;
      note.id = `${place(field).id}-${kind}`;
      note.dataset.field = field;
      block.append(note);
    }
    if (note.textContent !== text) note.textContent = text;
  }
};
const update = () => {
  const { problems = {}, hints = {}, defaults = {} } = props.value || {};
  say("field-hint", hints);
  say("field-problem", problems);
  for (const input of document.querySelectorAll("#launch-form [aria-invalid]")) {
    input.removeAttribute("aria-invalid");
    input.removeAttribute("aria-describedby");
  }
  for (const field of Object.keys(problems)) {
    const block = place(field);
    for (const input of block?.querySelectorAll("input, textarea") ?? []) {
      input.setAttribute("aria-invalid", "true");
      input.setAttribute("aria-describedby", `${block.id}-field-problem`);
    }
  }
  for (const [field, text] of Object.entries(defaults)) {
    const input = place(field)?.querySelector("input, textarea");
    if (input && input.placeholder !== text) input.placeholder = text;
  }
};
watch("value", update);
update();
// Fields that come later, such as those of a closed accordion, are told what is said of them.
new MutationObserver((changes) => {
  const added = changes.flatMap((change) => [...change.addedNodes]);
  if (added.some((node) => node.querySelector?.("input, textarea"))) update();
}).observe(document.getElementById("launch-form"), { childList: true, subtree: true });
