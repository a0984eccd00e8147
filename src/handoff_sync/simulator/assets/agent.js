"use strict";
// Keeps the page fresh: when something changed, the parts marked data-live are replaced, but for those in which
// somebody is choosing. The focus stays where it is, and what is being typed is left alone.
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

  const offered = (select) => Math.max(0, [...select.options].findIndex((option) => option.defaultSelected));
  const busy = (part) => [...part.querySelectorAll("select")].some(
    (select) => select === document.activeElement || select.selectedIndex !== offered(select),
  );

  // The thread is told entry by entry, so that a screen reader reads out what is new and nothing else.
  const raw = new Map();
  const remember = (entries) => entries.forEach((entry) => raw.set(entry.id, entry.outerHTML));
  const mergeEntries = (thread, next) => {
    const wanted = [...next.children];
    const ids = new Set(wanted.map((entry) => entry.id));
    for (const entry of [...thread.children]) if (!ids.has(entry.id)) entry.remove();
    wanted.forEach((entry, place) => {
      const here = document.getElementById(entry.id);
      const same = here && raw.get(entry.id) === entry.outerHTML;
      remember([entry]);
      if (!here) entry.classList.add("fresh");
      const shown = same ? here : entry;
      if (here && !same) here.replaceWith(entry);
      if (thread.children[place] !== shown) thread.insertBefore(shown, thread.children[place] ?? null);
    });
  };

  const refresh = (part, next) => {
    if (part.dataset.live === "entries") return mergeEntries(part, next);
    if (part.innerHTML === next.innerHTML) return undefined;
    return part.replaceChildren(...next.childNodes);
  };

  // Says whether nothing had to wait.
  const replace = (fresh) => {
    const follow = atEnd();
    const focused = document.activeElement?.id;
    localTimes(fresh);
    const parts = [...document.querySelectorAll("[data-live]")];
    const waiting = parts.filter(busy);
    for (const part of parts) {
      const next = fresh.getElementById(part.id);
      if (next && !waiting.includes(part)) refresh(part, next);
    }
    if (focused && document.activeElement === document.body) document.getElementById(focused)?.focus();
    if (follow) window.scrollTo(0, document.body.scrollHeight);
    return waiting.length === 0;
  };

  const look = async () => {
    if (document.hidden) return;
    const answer = await fetch("/agent/version", { cache: "no-store" });
    const now = String((await answer.json()).version);
    if (now === version) return;
    const page = await fetch(location.href, { cache: "no-store" });
    if (!page.ok) return;
    if (replace(new DOMParser().parseFromString(await page.text(), "text/html"))) version = now;
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
  remember([...document.querySelectorAll(".thread > li")]);
  if (document.getElementById("notice")) history.replaceState(null, "", document.body.dataset.here);
  document.querySelector("[data-submit]")?.addEventListener("change", (event) => event.target.form.requestSubmit());
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) event.target.form?.requestSubmit();
  });
  setTimeout(loop, PERIOD_MS);
})();
