/* A lesson says in French what its kernel does. Loaded before Voilà, whose functions it replaces; nothing is polled, so
   that a forgotten page does not keep a server awake. */
"use strict";

const lesson = { sockets: 0, hasRun: false };

/* Called once, when Voilà's own functions exist: the text is already shown, so there is nothing to reveal. */
function lessonStarts() {
  window.voila_process = function () {};
  window.update_loading_text = function (index, count) {
    lessonSays(`Partie interactive : cellule ${index} sur ${count}…`);
  };
  window.voila_heartbeat = function () {};
  window.display_cells = window.voila_finish = lessonIsReady;
  document.getElementById("lesson-reload").addEventListener("click", () => window.location.reload());
}

function lessonSays(text) {
  const line = document.getElementById("lesson-progress");
  line.hidden = false;
  document.getElementById("lesson-progress-text").textContent = text;
}

function lessonIsReady() {
  if (lesson.hasRun) document.getElementById("lesson-progress").hidden = true;
}

function lessonIsLost(isLost) {
  document.getElementById("lesson-lost").hidden = !isLost;
  if (isLost) document.getElementById("lesson-progress").hidden = true;
}

/* Voilà executes through one socket and talks to widgets through another: both are watched here. */
window.WebSocket = class extends window.WebSocket {
  constructor(...args) {
    super(...args);
    const address = String(args[0]);
    if (address.includes("/voila/execution/")) this.addEventListener("message", watchExecution);
    if (address.includes("/api/kernels/")) {
      this.addEventListener("open", () => { window.clearTimeout(lesson.lostTimer); lessonIsLost(false); });
      // A short cut mends itself: only one that lasts is said.
      this.addEventListener("close", () => { lesson.lostTimer = window.setTimeout(() => lessonIsLost(true), 4000); });
      this.addEventListener("message", watchKernel);
    }
  }
};

function watchExecution(event) {
  const message = JSON.parse(event.data);
  if (message.action === "execution_result") {
    const { cell_index: index, total_cell: total } = message.payload;
    lessonSays(`Partie interactive : cellule ${index + 1} sur ${total}…`);
    if (index + 1 >= total) {
      lesson.hasRun = true;
      lessonIsReady();
    }
  } else if (message.action === "execution_error") {
    lessonIsLost(true);
  } else if (message.action === "finished") {
    lesson.hasRun = true;
    lessonIsReady();
  }
}

function watchKernel(event) {
  if (!(event.data instanceof ArrayBuffer) || event.data.byteLength > 4000) return;
  const text = new TextDecoder().decode(event.data);
  // Killed (the server starts another, empty one), or ended by the server, which leaves the socket open.
  if (/"execution_state": ?"(dead|restarting)"|"msg_type": ?"shutdown_reply"/.test(text)) lessonIsLost(true);
}

window.addEventListener("pagehide", () => window.clearTimeout(lesson.lostTimer));

/* ipywidgets gives a slider no accessible name: its visible label becomes one. */
new MutationObserver(() => {
  for (const handle of document.querySelectorAll(".noUi-handle:not([aria-label])")) {
    const label = handle.closest(".widget-slider")?.querySelector(".widget-label")?.textContent;
    if (label) handle.setAttribute("aria-label", label);
  }
}).observe(document.documentElement, { childList: true, subtree: true });
