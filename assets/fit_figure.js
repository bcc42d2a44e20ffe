// A figure's layout for the width there is: the page and the report draw with the same one.
const NARROW = 560;
const fitted = (figure, width) => {
  const layout = structuredClone(figure.layout);
  const data = structuredClone(figure.data);
  layout.autosize = true;
  if (width < NARROW) {
    const named = data.filter((trace) => trace.name).length;
    layout.font = { ...layout.font, size: 11 };
    layout.margin = { ...layout.margin, l: 48, r: 8 };
    layout.legend = { orientation: "h", x: 0, y: 1.02, yanchor: "bottom" };
    if (named > 1 && layout.showlegend !== false) layout.height += 20 * Math.min(named, 12);
    for (const trace of data) if (trace.type === "heatmap") trace.showscale = false;
  }
  return { data, layout };
};
