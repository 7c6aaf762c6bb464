// A call's ladder, from its record: switch, proxy, ClearIP, each target.
import { svg } from "./charts.js";

const ROW = 34, NARROW = 600, LETTER = 6.6;

// On a phone five lanes fit: they stand close, their names in two rows in turn, without addresses.
function measures(lanes, room) {
  if (room >= NARROW) return { gutter: 60, margin: 70, lane: 190, top: 52 };
  const gutter = 46, margin = 28;
  return { gutter, margin, lane: Math.max(48, (room - gutter - 2 * margin) / (lanes - 1)), top: 52, narrow: true };
}

function place(uri) {
  return uri.replace(/^sips?:/, "").replace(/^[^@]*@/, "").replace(/[;?].*$/, "");
}

function milliseconds(value) {
  if (value === null || value === undefined) return "";
  return value < 10 ? `${value.toFixed(1)} ms` : value < 10000 ? `${Math.round(value)} ms` : `${(value / 1000).toFixed(1)} s`;
}

// What happened, in order: { at, from, to, text, kind, identity }; lanes are numbered.
export function story(record) {
  const lanes = [{ who: record.source ?? "caller", where: record.source_address }, { who: "proxy", where: "" }];
  const laneOf = (who, where) => {
    const known = lanes.findIndex((lane) => lane.who === who && lane.where === where);
    return known >= 0 ? known : lanes.push({ who, where }) - 1;
  };
  const steps = [{ at: 0, from: 0, to: 1, text: "INVITE", kind: "" }];
  let at = 0;
  for (const query of record.clearip) {
    const lane = laneOf("ClearIP", place(query.site)), begun = at;
    steps.push({ at: begun, from: 1, to: lane, text: "INVITE (TLS)", kind: "" });
    at += query.latency_ms ?? 0;
    if (query.status === null) steps.push({ at, from: lane, to: 1, text: "no answer", kind: "failed lost" });
    else {
      const what = query.status === 302 ? `${record.contacts ?? 0} contact${record.contacts === 1 ? "" : "s"}` : query.phrase;
      steps.push({
        at, from: lane, to: 1, text: `${query.status} ${what}`,
        kind: query.status === 302 ? "answered" : "failed", identity: query.status === 302 && record.passports.length > 0,
      });
    }
  }
  let rings = record.ring_ms === null || record.setup_ms === null ? null : record.setup_ms - record.ring_ms;
  record.attempts.forEach((attempt, index) => {
    const lane = laneOf(`target ${index + 1}`, place(attempt.target)), ended = attempt.at_ms + (attempt.ms ?? 0);
    steps.push({ at: attempt.at_ms, from: 1, to: lane, text: `INVITE (${attempt.transport})`, kind: "", identity: attempt.signed });
    if (rings !== null && rings >= attempt.at_ms && (attempt.ms === null || rings <= ended)) {
      steps.push({ at: rings, from: lane, to: 0, text: "18x rings", kind: "" });
      rings = null;
    }
    const result = attempt.result ?? "no end";
    const said = attempt.status === null ? result : `${attempt.status} ${result}`;
    const kind = result === "answered" ? "answered" : result === "failed" ? "failed" : "failed lost";
    steps.push({ at: ended, from: lane, to: 1, text: said, kind });
  });
  if (record.status !== null) {
    const kind = record.status < 300 ? "answered" : "failed";
    steps.push({ at: record.setup_ms ?? at, from: 1, to: 0, text: `${record.status} ${record.phrase}`, kind });
  }
  if (record.talk_ms !== null && record.setup_ms !== null) {
    const from = record.hung_up_by === "called" ? lanes.length - 1 : 0;
    steps.push({ at: record.setup_ms + record.talk_ms, from, to: from ? 0 : lanes.length - 1, text: "BYE", kind: "" });
  }
  return { lanes, steps };
}

export function ladder({ lanes, steps }, room) {
  const { gutter, margin, lane, top, narrow } = measures(lanes.length, room);
  const width = gutter + margin * 2 + lane * (lanes.length - 1), height = top + ROW * steps.length + 20;
  const x = (number) => gutter + margin + number * lane;
  const within = (middle, text) => {
    const half = Math.min(text.length * LETTER, width) / 2;
    return Math.max(half, Math.min(width - half, middle));
  };
  const size = { viewBox: `0 0 ${width} ${height}`, width, height };
  const picture = svg("svg", { ...size, role: "img", class: narrow || lanes.length > 6 ? "wide" : "" });
  picture.setAttribute("aria-label", "SIP ladder; the table below says the same");
  lanes.forEach((each, index) => {
    const above = narrow && index % 2 ? 31 : 16;
    picture.append(
      svg("text", { class: narrow ? "who narrow" : "who", x: within(x(index), each.who), y: above, "text-anchor": "middle" }, each.who),
      svg("text", { class: "where", x: x(index), y: 31, "text-anchor": "middle" }, narrow ? "" : each.where),
      svg("line", { class: "lane", x1: x(index), x2: x(index), y1: top - 12, y2: height - 6 }),
    );
  });
  steps.forEach((step, index) => {
    const y = top + 18 + index * ROW, from = x(step.from), to = x(step.to), way = Math.sign(to - from);
    const row = svg("g", { class: step.kind }), middle = (from + to) / 2;
    row.append(
      svg("text", { class: "at", x: 0, y: y + 4 }, milliseconds(step.at)),
      svg("line", { class: `arrow ${step.kind.includes("lost") ? "lost" : ""}`, x1: from, x2: to - way * 7, y1: y, y2: y }),
      svg("path", { class: "arrow tip", d: `M ${to} ${y} l ${-way * 9} -4.5 v 9 z` }),
      svg("text", { class: "said", x: within(middle, step.text), y: y - 6, "text-anchor": "middle" }, step.text),
    );
    if (step.identity) row.append(svg("text", { class: "identity", x: middle, y: y + 13, "text-anchor": "middle" }, "Identity"));
    picture.append(row);
  });
  return picture;
}

export function rows({ lanes, steps }) {
  const named = (lane) => `${lanes[lane].who} ${lanes[lane].where}`.trim();
  return steps.map((step) => [milliseconds(step.at), named(step.from), named(step.to), step.text + (step.identity ? ", with Identity" : "")]);
}

export { milliseconds };
