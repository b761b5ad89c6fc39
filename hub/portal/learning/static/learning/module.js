// The module page, while one waits for a mark: a stream says that something changed, the fragment is fetched again.
// Without this file the link « Actualiser » does the same.
const follow = document.getElementById("suivi");
const REOPEN_MS = 2000;
let source = null;

const shown = () => document.getElementById("essais");
const keyOf = (state) => `${state.number}/${state.state}/${state.reviews}`;

function announce() {
  document.getElementById("annonce").textContent = shown().dataset.announcement;
}

function reload() {
  window.htmx.ajax("GET", follow.dataset.attemptsUrl, { target: "#essais", swap: "outerHTML" }).then(announce);
}

function close() {
  source?.close();
  source = null;
}

function listen() {
  if (source || document.hidden) return;
  source = new EventSource(follow.dataset.stateUrl);
  source.addEventListener("attempt", (event) => {
    if (keyOf(JSON.parse(event.data)) !== shown().dataset.state) reload();
  });
  source.addEventListener("end", (event) => {
    close();
    if (JSON.parse(event.data).reason !== "timeout") setTimeout(listen, REOPEN_MS);
  });
}

if (follow) {
  // A page that nobody looks at holds no connection.
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : listen()));
  listen();
}
