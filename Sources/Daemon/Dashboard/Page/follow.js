const view = {status: null, health: null, timeline: {releases: [], events: []}, shown: 30};
const drawn = new Map();

async function get(path) {
  const answer = await fetch(path, {cache: "no-store", headers: {accept: "application/json"}});
  const isHealth = path === "/health" && answer.status === 503;
  if (!answer.ok && !isHealth) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

// Draws a section where what it shows has changed; what had the focus, was open or was scrolled stays so.
function show(id, input, make) {
  const key = JSON.stringify(input);
  if (drawn.get(id) === key) return;
  drawn.set(id, key);
  const section = byId(id), body = section.querySelector("div");
  const focused = body.contains(document.activeElement) ? document.activeElement.id : "";
  const open = [...body.querySelectorAll("details[open]")].map(node => node.id);
  const scrolled = [...body.querySelectorAll(".wide")].map(node => [node.id, node.scrollLeft]);
  const content = make();
  body.replaceChildren(...[content].flat().filter(node => node !== null));
  section.hidden = content === null;
  for (const name of open) byId(name)?.setAttribute("open", "");
  for (const [name, left] of scrolled) if (name && byId(name)) byId(name).scrollLeft = left;
  if (focused) byId(focused)?.focus({preventScroll: true});
}

function render() {
  const {status, health, timeline} = view;
  if (!status) return;
  show("problems", health, () => problemsSection(health));
  show("merge", status.merge, () => mergeSection(status.merge));
  const now = Math.floor(Date.now() / 60000);
  show("deployed", [status.deployed, status.tasks, status.strays, status.deployed ? now : status.message, timeline.releases],
    () => deployedSection(status));
  show("rollout", status.rollout, () => rolloutSection(status.rollout));
  show("hooks", status.hooks, () => hooksSection(status.hooks));
  show("tasks", [timeline.releases, status.deployed], () => tasksSection(timeline, status));
  show("timeline", [timeline.events, timeline.releases, view.shown, byId("kinds").value], () => timelineSection(timeline));
  const words = plain(status.activity) + plain(status.message);
  if (drawn.get("state") !== words) {
    drawn.set("state", words);
    byId("state").replaceChildren(h("span", {class: `badge ${moods[status.activity] || ""}`}, status.activity),
      h("span", {}, status.message));
  }
  byId("updated").textContent = `Updated ${new Date().toISOString().slice(11, 19)} UTC.`;
}

const pause = milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds));

async function follow() {
  let revision = null, sequence = null, lost = null;
  for (;;) {
    const asked = Date.now();
    try {
      const reply = await get(revision === null ? "/watch" : `/watch?revision=${revision}`);
      const isSame = reply.revision === revision;
      if (!isSame) view.health = await get("/health");
      if (reply.sequence !== sequence) view.timeline = await get("/timeline");
      view.status = reply.status;
      ({revision, sequence} = reply);
      lost = null;
      byId("connection").textContent = "";
      render();
      document.documentElement.dataset.ready = "true";
      await pause(document.hidden ? 5000 : isSame && Date.now() - asked < 1000 ? 3000 : 200);
    } catch (error) {
      revision = null;
      lost = lost || new Date();
      byId("connection").textContent =
        `The daemon has not answered since ${lost.toISOString().slice(11, 19)} UTC; this page tries again.`;
      await pause(3000);
    }
  }
}

byId("kinds").addEventListener("change", () => { view.shown = 30; render(); });
byId("timeline").addEventListener("click", event => {
  if (event.target.id !== "more") return;
  view.shown += 50;
  render();
});
follow();
