// A slider over labelled stops. `value` is the size as typed, `stops` the sizes there are, `pairs` how
// many all are; the field beside it holds any other number, at which it stands between its stops.
const short = (stop) => (/^\d+$/.test(stop) && stop > 1024 ? `${Math.round(stop / 1024)}k` : stop);
// Where a size stands among the stops: at one, or halfway to the next, also before the first.
const place = (value, stops) => {
  const exact = stops.indexOf(value);
  if (exact >= 0) return exact;
  const number = Number(value);
  if (!(number > 0)) return -0.5;
  const above = stops.findIndex((stop) => stop === "all" || Number(stop) > number);
  return (above === -1 ? stops.length : above) - 0.5;
};
let drawn = "";
const draw = () => {
  const stops = props.stops || [];
  const value = String(props.value || "").trim().toLowerCase();
  const range = element.querySelector("input");
  if (!range) return;
  if (drawn !== stops.join()) {
    drawn = stops.join();
    range.max = stops.length - 1;
    const labels = element.querySelector(".stop-labels");
    labels.classList.toggle("many", stops.length > 9);
    labels.replaceChildren(
      ...stops.map((stop, index) => {
        const label = document.createElement("button");
        label.type = "button";
        label.tabIndex = -1; // the slider itself answers the keyboard
        label.dataset.stop = stop;
        label.style.left = `${(100 * index) / Math.max(1, stops.length - 1)}%`;
        label.textContent = short(stop);
        return label;
      })
    );
  }
  const at = Math.min(stops.length - 1, Math.max(0, place(value, stops)));
  range.value = at;
  const all = props.pairs ? `all: ${props.pairs} pairs` : "all";
  range.setAttribute("aria-valuetext", value === "all" ? all : value);
  range.style.setProperty("--at", `${(100 * at) / Math.max(1, stops.length - 1)}%`);
  for (const label of element.querySelectorAll("[data-stop]")) {
    label.classList.toggle("chosen", label.dataset.stop === value);
    label.title = label.dataset.stop === "all" ? all : label.dataset.stop;
  }
};
const choose = (stop) => {
  if (stop === undefined || stop === props.value) return;
  props.value = stop;
  draw();
  trigger("input");
};
element.addEventListener("input", (event) => {
  if (event.target.type === "range") choose((props.stops || [])[Math.round(event.target.value)]);
});
// From between two stops an arrow key goes to the next one in its direction.
element.addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
  if (!step || event.target.type !== "range") return;
  event.preventDefault();
  const stops = props.stops || [];
  const at = place(String(props.value || ""), stops);
  const next = step > 0 ? Math.floor(at + 1) : Math.ceil(at - 1);
  choose(stops[Math.min(stops.length - 1, Math.max(0, next))]);
});
element.addEventListener("click", (event) => {
  const label = event.target.closest("[data-stop]");
  if (label) choose(label.dataset.stop);
});
watch(["value", "stops", "pairs"], draw);
draw();
