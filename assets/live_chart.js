// One Plotly chart, updated in place. `element`, `props` and `watch` are given by Gradio.
const draw = () => {
  const chart = element.querySelector(".live-chart");
  const figure = props.value;
  if (!chart || !figure || !figure.data) return;
  if (!window.Plotly) {
    setTimeout(draw, 200); // the library is still loading
    return;
  }
  window.Plotly.react(chart, figure.data, figure.layout, { responsive: true, displaylogo: false });
};
watch("value", draw);
draw();
// A tab that was hidden had no width to draw in.
new ResizeObserver(() => {
  const chart = element.querySelector(".live-chart");
  if (window.Plotly && chart && chart.data && chart.offsetWidth) window.Plotly.Plots.resize(chart);
}).observe(element);
