// Stacked bars of the last seconds. Everything is made by DOM calls: no text becomes markup.
const SVG = "http://www.w3.org/2000/svg";
const LEFT = 34, BOTTOM = 18, SECONDS = 300, STEP = 5;

// What means the same has the same colour at every look: green went well, red did not.
const COLOURS = {
  signed: 1, routed: 6, unsigned: 2, diverted: 4, blocked: 7, rejected: 8, unavailable: 3, canceled: 5, emergency: 0,
  200: 1, 404: 8, 486: 0, 487: 5, 503: 3, 603: 7,
};
const REST = [2, 4, 6];

function colour(name) {
  return `s${COLOURS[name] ?? REST[Number(name) % REST.length] ?? REST[0]}`;
}

export function svg(name, attributes = {}, text = "") {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text) element.textContent = text;
  return element;
}

// Five seconds to a bar: means of single seconds would only flicker.
function bars(seconds, member, names) {
  const now = seconds.length ? seconds.at(-1).at : 0;
  const sums = Array.from({ length: SECONDS / STEP }, () => names.map(() => 0));
  for (const second of seconds) {
    const bar = sums.length - 1 - Math.floor((now - second.at) / STEP);
    if (bar < 0) continue;
    names.forEach((name, at) => { sums[bar][at] += (second[member][name] ?? 0) / STEP; });
  }
  return sums;
}

function top(sums) {
  const highest = Math.max(1, ...sums.map((bar) => bar.reduce((a, b) => a + b, 0)));
  const unit = 10 ** Math.floor(Math.log10(highest));
  return Math.ceil(highest / unit) * unit;
}

export function draw(chart, legend, seconds, member, names) {
  const sums = bars(seconds, member, names), highest = top(sums);
  const { clientWidth: across, clientHeight: high } = chart;
  const inner = high - BOTTOM, width = (across - LEFT) / sums.length;
  chart.setAttribute("viewBox", `0 0 ${across} ${high}`);
  const parts = [0, 0.5, 1].flatMap((share) => {
    const y = 6 + (inner - 6) * (1 - share);
    return [
      svg("line", { class: "grid", x1: LEFT, x2: across, y1: y, y2: y }),
      svg("text", { class: "axis", x: LEFT - 6, y: y + 4, "text-anchor": "end" }, String(+(highest * share).toFixed(1))),
    ];
  });
  parts.push(svg("text", { class: "axis", x: LEFT, y: high - 3 }, "5 min ago"));
  parts.push(svg("text", { class: "axis", x: across, y: high - 3, "text-anchor": "end" }, "now"));
  sums.forEach((bar, index) => {
    let below = 0;
    bar.forEach((value, at) => {
      if (!value) return;
      const height = (value / highest) * (inner - 6);
      below += height;
      parts.push(svg("rect", { class: colour(names[at]), x: LEFT + index * width + 0.5, width: Math.max(1, width - 1), y: inner - below, height }));
    });
  });
  chart.replaceChildren(...parts);
  const last = sums.at(-1) ?? [];
  chart.setAttribute("aria-label", names.map((name, at) => `${name}: ${(last[at] ?? 0).toFixed(1)} per second`).join(", ") || "no calls");
  legend.replaceChildren(...names.map((name) => {
    const item = document.createElement("span"), swatch = document.createElement("i");
    swatch.className = colour(name);
    item.append(swatch, name);
    return item;
  }));
}
