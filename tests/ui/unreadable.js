// Texts of the open tab whose contrast to what lies under them is less than `least`.
// Charts are drawn in colours that markers tell apart, too, and what is switched off is pale.
(least) => {
  const paint = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    paint.clearRect(0, 0, 1, 1);
    paint.fillStyle = colour;
    paint.fillRect(0, 0, 1, 1);
    return [...paint.getImageData(0, 0, 1, 1).data].map((one, at) => (at < 3 ? one : one / 255));
  };
  const over = (top, under) => top.slice(0, 3).map((one, at) => one * top[3] + under[at] * (1 - top[3]));
  const ground = (element) => {
    if (!element) return [255, 255, 255];
    const own = rgba(getComputedStyle(element).backgroundColor);
    return own[3] === 1 ? own.slice(0, 3) : over(own, ground(element.parentElement));
  };
  const light = (colour) => {
    const [r, g, b] = colour.map((one) => one / 255).map((one) =>
      one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const panel = [...document.querySelectorAll("[role=tabpanel]")].find((one) => one.checkVisibility());
  const bad = [];
  for (const one of panel.querySelectorAll("*")) {
    const says = [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!says || !one.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    if (one.closest("svg, .cm-editor, :disabled, [aria-disabled=true], option, style, script")) continue;
    const under = ground(one);
    const [a, b] = [light(over(rgba(getComputedStyle(one).color), under)), light(under)];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < least) bad.push(`${ratio.toFixed(2)} ${one.tagName}.${one.className} ${one.textContent.trim().slice(0, 40)}`);
  }
  return bad;
}
