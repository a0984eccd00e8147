"use strict";
// Asks for news every half second. Text is always set as text, never as HTML.
const conversation = document.body.dataset.conversation;
const base = `/chat/${encodeURIComponent(conversation)}`;
const byId = (id) => document.getElementById(id);
const lines = byId("lines"), trace = byId("trace"), charge = byId("charge"), box = byId("text"), typing = byId("typing");
const words = {
  ai: () => "AI active · Pip is answering",
  waiting: () => "The AI is silent · a human is on the way",
  human: (name) => `A human has taken over: ${name}`,
  resolved: () => "Resolved",
};
let seen = 0, traced = 0, waiting = false;

function piece(tag, className, text) {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}

function show(news) {
  charge.dataset.charge = news.charge;
  byId("charge-text").textContent = words[news.charge](news.human || "Support");
  for (const line of news.lines) {
    const item = piece("li", line.author, "");
    if (line.name) item.append(piece("span", "name", line.author === "ai" ? `${line.name} · AI` : line.name));
    item.append(piece("span", "text", line.text));
    lines.append(item);
    if (line.author !== "customer") waiting = false;
  }
  for (const text of news.trace) trace.append(piece("li", "", text));
  seen += news.lines.length;
  traced += news.trace.length;
  if (news.charge !== "ai") waiting = false;
  typing.hidden = !waiting;
  if (news.lines.length) lines.scrollTop = lines.scrollHeight;
}

// One question at a time: two answers to the same question would be shown twice.
let asking = null;
function ask() {
  asking ??= news().finally(() => { asking = null; });
  return asking;
}

async function news() {
  try {
    const answer = await fetch(`${base}/news?after=${seen}&trace_after=${traced}`);
    if (answer.ok) show(await answer.json());
  } catch { /* the demo was stopped; keep asking in case it comes back */ }
}

async function say(text) {
  if (!text.trim()) return;
  waiting = charge.dataset.charge === "ai";
  await fetch(`${base}/messages`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ text }) });
  await ask();
}

byId("say").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = box.value;
  box.value = "";
  say(text);
});
box.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    byId("say").requestSubmit();
  }
});
byId("chips").addEventListener("click", (event) => {
  if (event.target instanceof HTMLButtonElement) say(event.target.textContent);
});
(async function keepAsking() {
  await ask();
  setTimeout(keepAsking, 500);
})();
