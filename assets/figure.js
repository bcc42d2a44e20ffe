// One figure with buttons that save it. `element`, `props` and `watch` are given by Gradio;
// `fitted` stands in fit_figure.js.
const part = (name) => element.querySelector(name);
const paint = (name) => getComputedStyle(element).getPropertyValue(name).trim();
let drawnFor = "";

const draw = () => {
  const chart = part(".figure");
  const plot = props.value;
  const there = Boolean(plot && plot.figure);
  part(".figure-part").hidden = !there;
  if (!there) {
    if (window.Plotly && chart.data) window.Plotly.purge(chart);
    drawnFor = "";
    return;
  }
  const width = part(".figure-scroll").clientWidth;
  if (!width) return; // in a tab that is not shown; the observer calls again
  if (!window.Plotly) {
    setTimeout(draw, 200); // the library is still loading
    return;
  }
  const { data, layout } = fitted(plot.figure, width);
  chart.style.minWidth = `${plot.min_width}px`;
  layout.font = { ...layout.font, color: paint("--body-text-color") };
  layout.hoverlabel = { align: "left" };
  chart.setAttribute("aria-label", plot.summary);
  const config = { responsive: false, displaylogo: false, modeBarButtonsToRemove: ["select2d", "lasso2d"] };
  layout.width = Math.max(width, plot.min_width);
  window.Plotly.react(chart, data, layout, config);
  drawnFor = `${width} ${document.body.className}`;
};

const save = (format) => {
  const { figure, name, min_width: least } = props.value;
  const paper = { paper_bgcolor: "#ffffff", plot_bgcolor: "#ffffff" };
  const layout = { ...figure.layout, ...paper, font: { size: 14, color: "#222222" } };
  const size = { width: Math.max(900, least), height: figure.layout.height, scale: 2 };
  window.Plotly.downloadImage({ data: figure.data, layout }, { format, filename: `mtlab-${name}`, ...size });
};

element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-format]");
  if (button && props.value && props.value.figure) save(button.dataset.format);
});
watch("value", draw);
draw();
// The width changes when the tab is first shown; the body's class when light turns dark.
const again = () => {
  if (drawnFor !== `${part(".figure-scroll").clientWidth} ${document.body.className}`) draw();
};
new ResizeObserver(again).observe(element);
new MutationObserver(again).observe(document.body, { attributeFilter: ["class"] });
