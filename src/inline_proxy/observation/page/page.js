// Asks the proxy every second and shows what it says. Texts only ever become text nodes.
import { draw } from "./charts.js";
import { ladder, milliseconds, rows, story } from "./ladder.js";

const EVERY_MS = 1000, SECONDS_FOR_A_RATE = 10;
const DISPOSITIONS = ["signed", "routed", "unsigned", "diverted", "blocked", "rejected", "unavailable", "canceled", "emergency"];
const GOOD = new Set(["signed", "routed", "emergency"]), BAD = new Set(["rejected", "unavailable"]);
const $ = (id) => document.getElementById(id);
let shown = [], opened = null, asked = 0;

function element(name, text = "", className = "") {
  const made = document.createElement(name);
  if (text !== "") made.textContent = text;
  if (className) made.className = className;
  return made;
}

function row(cells) {
  const made = element("tr");
  made.append(...cells.map((cell) => (cell instanceof Node ? cell : element("td", cell))));
  return made;
}

async function ask(path) {
  const response = await fetch(path, { cache: "no-store" });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.json();
}

function showHealth(status) {
  const pill = $("health"), state = status.draining ? "draining" : status.health;
  const word = { healthy: "Healthy", degraded: "Degraded", not_running: "Not running", draining: "Draining" }[state] ?? state;
  if (pill.textContent !== word) pill.textContent = word;
  pill.className = `pill ${{ healthy: "good", degraded: "warn", draining: "warn" }[state] ?? "bad"}`;
  $("problems").hidden = !status.problems.length;
  $("problems").replaceChildren(...status.problems.map((problem) => element("li", problem)));
  $("setting-up").textContent = status.calls_in_progress.setting_up ?? "–";
  $("conversations").textContent = status.calls_in_progress.conversations ?? "–";
  const attested = Object.entries(status.counters.attestations ?? {}).sort();
  $("attested").textContent = attested.map(([attest, number]) => `${attest} ${number}`).join(", ");
  $("versions").textContent = `In-line Proxy ${status.versions.inline_proxy}, Kamailio ${status.versions.kamailio ?? "–"}, listening on ${status.listeners.join(", ")}`;
  $("sites").replaceChildren(...status.clearip_sites.map((site) => {
    const state = element("td");
    state.append(element("span", site.state, `chip ${site.state === "up" ? "good" : "bad"}`));
    return row([site.uri, state, site.since ? time(site.since * 1000) : "–", element("td", site.reason, "why")]);
  }));
}

function showGroup(group) {
  $("group").hidden = !group; // a node of no group has none
  $("nodes").replaceChildren(...(group?.nodes ?? []).map((node) => {
    const [word, look] = !node.heard ? ["not heard", "bad"] : node.draining ? ["draining", "warn"] : ["heard", "good"];
    const state = element("td"), name = node.own ? `${node.address} (this node)` : node.address;
    state.append(element("span", word, `chip ${look}`));
    const told = [node.calls_per_second, node.calls_in_progress.conversations, node.clearip_sites_up, node.release ?? "–"];
    return row([name, state, ...(node.heard ? told : told.map(() => "–"))]);
  }));
}

function showRates(seconds) {
  const last = seconds.slice(-SECONDS_FOR_A_RATE), sum = {};
  for (const second of last) for (const [name, number] of Object.entries(second.calls)) sum[name] = (sum[name] ?? 0) + number;
  const all = Object.values(sum).reduce((a, b) => a + b, 0);
  $("cps").textContent = last.length ? (all / last.length).toFixed(1) : "–";
  let signed = 0, routed = 0;
  for (const second of seconds) {
    signed += second.calls.signed ?? 0;
    routed += (second.calls.signed ?? 0) + (second.calls.routed ?? 0) + (second.calls.unsigned ?? 0);
  }
  $("signed").textContent = routed ? `${Math.round((100 * signed) / routed)} %` : "–";
  const names = (member) => [...new Set(seconds.flatMap((second) => Object.keys(second[member])))];
  draw($("calls-chart"), $("calls-legend"), seconds, "calls", DISPOSITIONS.filter((name) => names("calls").includes(name)));
  draw($("codes-chart"), $("codes-legend"), seconds, "codes", names("codes").sort());
}

function time(moment) {
  return new Date(moment).toLocaleTimeString([], { hour12: false });
}

function showCalls(found) {
  $("found").textContent = `${found.calls.length} of the last ${found.kept}`;
  $("no-calls").hidden = found.calls.length > 0;
  const same = found.calls.map((call) => call.id + call.ended_at).join() === shown.map((call) => call.id + call.ended_at).join();
  if (same) return; // the focus stays where it is
  const focused = document.activeElement?.dataset?.call;
  shown = found.calls;
  $("call-rows").replaceChildren(...shown.map((call) => {
    const button = element("button", time(call.begun_at)), begun = element("td"), what = element("td");
    button.type = "button";
    button.dataset.call = call.id;
    button.setAttribute("aria-label", `Ladder of the call from ${call.from} to ${call.to} at ${time(call.begun_at)}`);
    begun.append(button);
    what.append(element("span", call.disposition, `chip ${GOOD.has(call.disposition) ? "good" : BAD.has(call.disposition) ? "bad" : "warn"}`));
    const made = row([begun, call.from, call.to, what, call.status ?? "–", call.attempts.length, milliseconds(call.setup_ms)]);
    made.addEventListener("click", () => open(call));
    return made;
  }));
  if (focused) document.querySelector(`button[data-call="${CSS.escape(focused)}"]`)?.focus();
}

function fact(name, value) {
  const made = element("div");
  made.append(element("dt", name), element("dd", value));
  return made;
}

async function open(call) {
  opened = call.id;
  $("call-title").textContent = `${call.from} → ${call.to}: ${call.disposition}`;
  const passports = call.passports.map((passport) =>
    [passport.ppt, passport.attest, passport.orig && `${passport.orig} → ${passport.dest.join(" ")}`, passport.error].filter(Boolean).join(" "));
  const facts = [
    ["Call-ID", call.call_id], ["Began", new Date(call.begun_at).toLocaleString()],
    ["Source", `${call.source ?? ""} ${call.source_address}`], ["Final", call.status === null ? "none" : `${call.status} ${call.phrase}`],
    ["ClearIP", call.clearip.map((query) => `${query.status ?? "silent"} ${query.latency_ms === null ? "" : `in ${milliseconds(query.latency_ms)}`} ${query.reasons.join(" ")}`).join(", ") || "not asked"],
    ["PASSporTs", passports.join(", ") || "none"], ["Verified", call.verstat ?? "–"],
    ["Ringing", milliseconds(call.ring_ms) || "–"], ["Talking", milliseconds(call.talk_ms) || "–"],
  ];
  $("facts").replaceChildren(...facts.map(([name, value]) => fact(name, value)));
  const told = story(call);
  if (!$("call").open) $("call").showModal();
  $("ladder").replaceChildren(ladder(told, $("ladder").clientWidth));
  $("steps").replaceChildren(...rows(told).map(row));
  $("messages").replaceChildren();
  $("no-messages").hidden = false;
  const { messages } = await ask(`messages.json?call_id=${encodeURIComponent(call.call_id)}`);
  if (opened !== call.id) return;
  $("no-messages").hidden = messages.length > 0;
  $("messages").replaceChildren(...messages.map((message) => {
    const made = element("details"), first = message.text.split("\r\n", 1)[0];
    made.append(
      element("summary", `+${milliseconds((message.at_s - messages[0].at_s) * 1000)} ${message.sender} → ${message.receiver} (${message.transport}): ${first}`),
      element("pre", message.text),
    );
    return made;
  }));
}

async function refresh() {
  const mine = ++asked;
  const query = new URLSearchParams({ search: $("search").value, kind: $("kind").value, limit: "200" });
  try {
    const [status, rates, calls] = await Promise.all([ask("status.json"), ask("rates.json"), ask(`calls.json?${query}`)]);
    if (mine !== asked) return;
    showHealth(status);
    showGroup(status.cluster);
    showRates(rates.seconds);
    showCalls(calls);
  } catch (fault) {
    $("health").textContent = "No answer from the proxy";
    $("health").className = "pill bad";
  }
}

$("filter").addEventListener("input", refresh);
$("filter").addEventListener("submit", (event) => { event.preventDefault(); refresh(); });
$("close").addEventListener("click", () => $("call").close());
$("call").addEventListener("close", () => {
  document.querySelector(`button[data-call="${CSS.escape(opened ?? "")}"]`)?.focus();
  opened = null;
});
refresh();
setInterval(refresh, EVERY_MS);
