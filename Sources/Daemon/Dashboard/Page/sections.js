const kinds = {
  published: ["release", "Release"], "rolled-back": ["rollback", "Rollback"], gated: ["refusal", "Refused by the gate"],
  refused: ["refusal", "Refused"], "merge-failed": ["failure", "Merge failed"], "hook-failed": ["failure", "Hook failed"],
  "configuration-rejected": ["failure", "Configuration rejected"], accepted: ["other", "Accepted"],
  removed: ["other", "Removed"], hook: ["other", "Hook"], "operator-action": ["other", "Operator"],
  "canary-started": ["other", "Candidate"], promoted: ["release", "Promoted"], rejected: ["refusal", "Rejected"],
  "check-failed": ["failure", "Check failed"], submitted: ["other", "Submitted"], withdrawn: ["other", "Withdrawn"],
};
const moods = {idle: "good", merging: "busy", failing: "bad", paused: "warn", waiting: "warn", starting: "busy"};
const states = {deployed: "", merging: "busy", accepted: "busy", candidate: "busy", arriving: "busy", refused: "bad", "set-aside": "bad"};
const releaseOf = version => view.timeline.releases.findLast(release => release.version === version);

// Only a number ever becomes part of an address.
const reportLink = (version, place) => Number.isSafeInteger(version) && version > 0
  ? h("a", {href: `/releases/${version}/report.html`, id: `${place}-report-${version}`}, `report of release ${version}`) : null;

const tiles = pairs => h("dl", {class: "tiles"}, pairs.filter(pair => pair[1] !== null)
  .map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));

function problemsSection(health) {
  if (!health || health.problems.length === 0) return null;
  return h("ul", {class: "list"}, health.problems.map(problem =>
    h("li", {class: problem.severity}, h("strong", {}, problem.task ? `${problem.task}: ` : ""), problem.message,
      h("span", {class: "soft small"}, ` (${problem.severity}, ${problem.code})`))));
}

function mergeSection(merge) {
  if (!merge) return null;
  const share = merge.total > 0 ? Math.min(1, merge.done / merge.total) : null;
  const held = (merge.curve || []).map(point => point.held_out).filter(isNumber);
  const rows = (merge.scores || []).map(score =>
    [score.task, score.metric, figure(score.value), scale(score.value), short(score.loss)]);
  return [
    h("p", {}, h("strong", {}, count(merge.tasks.length, "task")), `: ${merge.tasks.slice(0, 12).join(", ")}`,
      merge.tasks.length > 12 ? ` and ${merge.tasks.length - 12} more` : ""),
    h("progress", {max: 1, value: share, "aria-label": `${merge.phase}, ${merge.done} of ${merge.total}`}),
    tiles([[merge.phase, `${merge.done}/${merge.total}`], ["loss", isNumber(merge.loss) ? short(merge.loss) : null],
      ["held-out loss", held.length > 0 ? short(held[held.length - 1]) : null],
      ["time left", isNumber(merge.seconds_left) ? duration(merge.seconds_left) : null]]),
    h("div", {class: "two"}, lossChart(merge.curve || [], merge.phase === "fitting" ? merge.total : null),
      rows.length > 0 ? table("Held-out examples at the last look",
        ["task", "metric", "#value", "0 to 1", "#loss"], rows, "merge-table") : null),
  ];
}

function deployedSection(status) {
  const release = status.deployed;
  if (!release) return h("p", {class: "box"}, `No release yet. ${status.message}`);
  const scores = new Map((releaseOf(release.version)?.scores || []).map(score => [score.task, score]));
  const old = new Set(view.timeline.releases.findLast(other => other.version < release.version)?.tasks || []);
  const known = status.tasks.map(task => task.score).filter(isNumber);
  const mean = known.length > 0 ? known.reduce((sum, value) => sum + value, 0) / known.length : null;
  const rows = status.tasks.map(task => {
    const score = scores.get(task.name);
    const moved = score && isNumber(score.before) && old.has(task.name) ? score.value - score.before : null;
    return [task.name, h("span", {class: states[task.state] || null}, task.state), figure(task.score),
      scale(task.score, score?.base), change(moved), task.message];
  });
  const strays = Object.entries(status.strays || {}).map(([name, reason]) =>
    h("li", {}, h("strong", {}, `tasks/${name}`), ` is not a task: ${reason}`));
  return [
    tiles([["release", release.version], ["made", age(release.created)], ["tasks", release.tasks.length],
      ["mean of the tasks", mean === null ? null : figure(mean)],
      ["rollback to", release.rollback_of ? `release ${release.rollback_of}` : null]]),
    h("p", {}, reportLink(release.version, "deployed"), " · ", h("code", {}, release.path)),
    table("Held-out metric of each task; the line goes from the base model (upright mark) to this release",
      ["task", "state", "#value", "0 to 1", "#change", "why"], rows, "deployed-table"),
    strays.length > 0 ? h("ul", {class: "list"}, strays) : null,
  ];
}

function rolloutSection(rollout) {
  if (!rollout) return null;
  const moods = {checking: "good", failing: "bad", starting: "busy", silent: "busy", "by-hand": "soft"};
  const role = rollout.kind === "canary" ? "candidate" : "deployed and watched";
  const servers = (rollout.targets || []).map(server => `${server.target}: ${server.state}: ${server.message}`);
  return table("The release on trial", ["release", "role", "state", "held", "what"],
    [[rollout.version, role, h("span", {class: moods[rollout.state] || null}, rollout.state),
      `${Math.round(rollout.held_seconds)} of ${Math.round(rollout.window_seconds)} s`,
      [rollout.message, lines(servers)]]], "rollout-table");
}

function lines(texts) {
  return texts.length > 0 ? h("ul", {class: "list"}, texts.map(text => h("li", {}, text))) : null;
}

function serverText(hook, server) {
  const what = server.version ? `release ${server.version}` : "no release confirmed";
  return `${server.target}: ${what}${server.version !== hook.version && server.message ? `: ${server.message}` : ""}`;
}

function hooksSection(hooks) {
  if (!hooks || hooks.length === 0) return null;
  const moods = {done: "good", failed: "bad", running: "busy", waiting: "soft"};
  return table("Hooks after the publish of the deployed release", ["hook", "state", "#attempts", "what"],
    hooks.map(hook => [hook.name, h("span", {class: moods[hook.state] || null}, hook.state),
      hook.attempts > 0 ? hook.attempts : "–",
      [hook.message, lines((hook.targets || []).map(server => serverText(hook, server)))]]), "hooks-table");
}

function tasksSection(timeline, status) {
  const releases = timeline.releases.filter(release => release.scores.length > 0).slice(-60);
  if (releases.length === 0) return null;
  const points = new Map();
  for (const release of releases) {
    for (const score of release.scores) {
      if (!isNumber(score.value)) continue;
      if (!points.has(score.task)) points.set(score.task, []);
      points.get(score.task).push({version: release.version, value: score.value, metric: score.metric});
    }
  }
  const deployed = new Set(status.deployed?.tasks || []);
  const names = [...points.keys()].sort((a, b) => deployed.has(b) - deployed.has(a) || (a < b ? -1 : 1));
  const cards = names.map(name => {
    const all = points.get(name), [first, last] = [all[0], all[all.length - 1]];
    const span = all.length > 1 ? `from ${figure(first.value)} in release ${first.version} to release ${last.version}`
      : `in release ${last.version}`;
    return h("div", {class: "card"},
      h("div", {class: "head"}, h("h3", {}, name), h("span", {}, figure(last.value))), history(all),
      h("p", {class: "soft small"}, `${last.metric}, ${span}`, deployed.has(name) ? "" : "; no longer deployed"));
  });
  const rows = names.map(name => {
    const values = new Map(points.get(name).map(point => [point.version, point.value]));
    return [name, ...releases.map(release => figure(values.get(release.version)))];
  });
  return [h("div", {class: "cards"}, cards),
    h("details", {id: "tasks-details"}, h("summary", {id: "tasks-summary"}, "As a table"),
      table("Held-out metric of each task in each release",
        ["task", ...releases.map(release => `#${release.version}`)], rows, "tasks-table"))];
}

const belongs = {releases: ["release", "rollback"], refusals: ["refusal", "failure"]};

function timelineSection(timeline) {
  const wanted = belongs[byId("kinds").value];
  const events = timeline.events.filter(event => !wanted || wanted.includes((kinds[event.event] || ["other"])[0]));
  if (events.length === 0) return h("p", {class: "box"}, "Nothing yet.");
  const items = events.slice(0, view.shown).map(event => {
    const [kind, title] = kinds[event.event] || ["other", event.event];
    const isRelease = kind === "release" || kind === "rollback";
    const name = isRelease ? `${title} ${event.version}` : event.task ? `${title}: ${event.task}` : title;
    const release = isRelease ? releaseOf(event.version) : null;
    return h("li", {}, mark(kind), h("h3", {}, name, time(event.time)), h("p", {}, event.message),
      release?.is_there ? h("p", {}, reportLink(event.version, "timeline")) : null);
  });
  const rest = events.length - items.length;
  return [h("ol", {class: "line"}, items),
    rest > 0 ? h("button", {type: "button", id: "more"}, `Show ${Math.min(rest, 50)} more`) : null];
}
