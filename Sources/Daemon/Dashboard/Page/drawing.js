"use strict";
const SVG = "http://www.w3.org/2000/svg";
const byId = id => document.getElementById(id);

// Characters that steer terminals or turn the direction of writing show as U+FFFD.
const plain = value => String(value).replace(
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/g, "\ufffd");

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value !== undefined && value !== null && value !== false) {
      node.setAttribute(name, value === true ? "" : String(value));
    }
  }
  for (const child of children.flat(3)) {
    if (child !== null && child !== undefined) node.append(child instanceof Node ? child : plain(child));
  }
  return node;
}
const h = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
const draw = (tag, attributes, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);

const isNumber = value => typeof value === "number" && Number.isFinite(value);
const figure = value => isNumber(value) ? value.toFixed(4).replace("-", "−") : "–";
const short = value => isNumber(value) ? String(Number(value.toPrecision(4))).replace("-", "−") : "–";
const place = value => isNumber(value) ? Math.round(value * 10) / 10 : 0;
const count = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;

function change(value) {
  if (!isNumber(value)) return "–";
  return Math.abs(value) < 0.00005 ? "0.0000" : (value > 0 ? "+" : "−") + Math.abs(value).toFixed(4);
}

function duration(seconds) {
  if (!isNumber(seconds) || seconds < 0) return "–";
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} days`;
}

function time(text) {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) return h("span", {}, text);
  const words = date.toISOString().slice(0, 16).replace("T", " ") + " UTC";
  return h("time", {datetime: date.toISOString()}, words);
}

const age = text => {
  const seconds = (Date.now() - new Date(text).getTime()) / 1000;
  return isNumber(seconds) ? `${duration(Math.max(0, seconds))} ago` : "";
};

// A table that scrolls by itself where the page is narrow, and can be reached by keyboard.
function table(caption, columns, rows, key) {
  const head = columns.map(name => h("th", {scope: "col", class: name.startsWith("#") ? "n" : null}, name.replace("#", "")));
  const body = rows.map(cells => h("tr", {}, cells.map((cell, place) =>
    h(place === 0 ? "th" : "td", {scope: place === 0 ? "row" : null, class: columns[place].startsWith("#") ? "n" : null}, cell))));
  return h("div", {class: "wide", role: "region", tabindex: "0", "aria-label": caption, id: key},
    h("table", {}, h("caption", {}, caption), h("thead", {}, h("tr", {}, head)), h("tbody", {}, body)));
}

// From the base to the value, on a line from 0 to 1. The numbers stand beside it.
function scale(value, base) {
  if (!isNumber(value)) return null;
  const x = number => place(6 + 108 * Math.min(1, Math.max(0, number)));
  const from = isNumber(base) ? base : 0;
  return draw("svg", {class: "scale", viewBox: "0 0 120 14", "aria-hidden": "true"},
    draw("path", {class: "track", d: "M6 7H114"}),
    draw("path", {class: value < from ? "fall" : "rise", d: `M${x(from)} 7H${x(value)}`}),
    isNumber(base) ? draw("path", {class: "cross", d: `M${x(base)} 1V13`}) : null);
}

function bounds(values) {
  let [low, high] = [Math.min(...values), Math.max(...values)];
  if (high - low < 1e-9) { low -= 0.01; high += 0.01; }
  const room = (high - low) * 0.08;
  return [low - room, high + room];
}

// The losses of a fit over its steps.
function lossChart(curve, total) {
  const points = curve.filter(point => isNumber(point.step));
  const all = points.flatMap(point => [point.loss, point.held_out]).filter(isNumber);
  if (points.length < 2 || all.length < 2) return null;
  const [low, high] = bounds(all);
  const last = Math.max(points[points.length - 1].step, 1);
  const x = step => place(52 + 500 * step / last);
  const y = value => place(12 + 190 * (high - value) / (high - low));
  const line = key => "M" + points.filter(point => isNumber(point[key]))
    .map(point => `${x(point.step)} ${y(point[key])}`).join("L");
  const ticks = [0, 0.5, 1].map(share => low + (high - low) * share);
  const first = points[0], end = points[points.length - 1];
  return h("figure", {},
    draw("svg", {class: "chart", viewBox: "0 0 564 232", role: "img",
        "aria-label": `Held-out loss from ${short(first.held_out)} at step ${first.step} to ${short(end.held_out)} at step ${end.step}`},
      ticks.map(tick => [draw("path", {class: "grid", d: `M52 ${y(tick)}H552`}),
        draw("text", {x: 46, y: y(tick) + 4, "text-anchor": "end"}, short(Number(tick.toPrecision(3))))]),
      draw("text", {x: 52, y: 224}, `step ${0}`),
      draw("text", {x: 552, y: 224, "text-anchor": "end"}, `step ${last}${isNumber(total) && total > 0 ? ` of ${total}` : ""}`),
      draw("path", {class: "fit", d: line("loss")}), draw("path", {class: "held", d: line("held_out")})),
    h("figcaption", {}, "Held-out loss (line) and loss of the fit (dashes)"));
}

// A task's held-out metric over the releases; the last point is full.
function history(points) {
  const [low, high] = bounds(points.map(point => point.value));
  const step = points.length > 1 ? 216 / (points.length - 1) : 0;
  const x = index => place(12 + (points.length > 1 ? step * index : 108));
  const y = value => place(8 + 48 * (high - value) / (high - low));
  const shown = points.length > 40 ? [points.length - 1] : points.keys();
  return draw("svg", {viewBox: "0 0 240 64", "aria-hidden": "true"},
    draw("path", {class: "held", d: "M" + points.map((point, index) => `${x(index)} ${y(point.value)}`).join("L")}),
    [...shown].map(index => draw("circle", {class: index === points.length - 1 ? "dot" : "ring", r: 4,
      cx: x(index), cy: y(points[index].value)})));
}

// A mark of the timeline, told apart by shape as well as by colour.
function mark(kind) {
  const shapes = {
    release: ["good", "M12 4a8 8 0 1 0 0 16a8 8 0 1 0 0-16z"], rollback: ["warn", "M12 3l9 9l-9 9l-9-9z"],
    refusal: ["bad", "M5 8l3-3l4 4l4-4l3 3l-4 4l4 4l-3 3l-4-4l-4 4l-3-3l4-4z"],
    failure: ["bad", "M12 3l9.5 17h-19z"], other: ["soft", "M12 8a4 4 0 1 0 0 8a4 4 0 1 0 0-8z"],
  };
  const [colour, path] = shapes[kind] || shapes.other;
  return draw("svg", {class: `mark ${colour}`, viewBox: "0 0 24 24", "aria-hidden": "true"},
    draw("path", {d: path, fill: "currentColor"}));
}
