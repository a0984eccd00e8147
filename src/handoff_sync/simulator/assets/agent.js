"use strict";
// Keeps the page fresh: when something changed, the parts marked data-live are replaced. Forms are left alone.
(() => {
  const PERIOD_MS = 1500;
  let version = document.body.dataset.version;

  const localTimes = (root) => {
    for (const time of root.querySelectorAll("time[datetime]")) {
      const at = new Date(time.dateTime);
      const today = at.toDateString() === new Date().toDateString();
      const day = today ? {} : { day: "numeric", month: "short" };
      time.textContent = at.toLocaleString(undefined, { hour: "2-digit", minute: "2-digit", ...day });
      time.title = at.toLocaleString();
    }
  };

  const atEnd = () => window.innerHeight + window.scrollY >= document.body.scrollHeight - 80;

  const replace = (fresh) => {
    const known = new Set([...document.querySelectorAll(".thread > li")].map((entry) => entry.id));
    const follow = atEnd();
    for (const part of document.querySelectorAll("[data-live]")) {
      const next = fresh.getElementById(part.id);
      if (next) part.replaceChildren(...next.childNodes);
    }
    for (const entry of document.querySelectorAll(".thread > li")) {
      if (!known.has(entry.id)) entry.classList.add("fresh");
    }
    localTimes(document);
    if (follow) window.scrollTo(0, document.body.scrollHeight);
  };

  const look = async () => {
    if (document.hidden) return;
    const answer = await fetch("/agent/version", { cache: "no-store" });
    const now = String((await answer.json()).version);
    if (now === version) return;
    const page = await fetch(location.href, { cache: "no-store" });
    if (!page.ok) return;
    version = now;
    replace(new DOMParser().parseFromString(await page.text(), "text/html"));
  };

  const loop = async () => {
    try {
      await look();
    } catch {
      // The simulator is away for a moment; the next round asks again.
    }
    setTimeout(loop, PERIOD_MS);
  };

  document.documentElement.classList.add("js");
  localTimes(document);
  document.querySelector("[data-submit]")?.addEventListener("change", (event) => event.target.form.requestSubmit());
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) event.target.form?.requestSubmit();
  });
  setTimeout(loop, PERIOD_MS);
})();
