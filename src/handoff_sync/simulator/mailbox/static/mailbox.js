"use strict";
// Puts new mails on top of the list, and says so to a screen reader. The open mail is left alone.
(() => {
  const PERIOD_MS = 1000;
  let newest = document.body.dataset.newest;

  const localTimes = (root) => {
    for (const time of root.querySelectorAll("time[datetime]")) {
      time.textContent = new Date(time.dateTime).toLocaleTimeString();
    }
  };

  const show = (fresh) => {
    const list = document.getElementById("list");
    const known = new Set([...list.querySelectorAll("a[id]")].map((link) => link.id));
    const focused = document.activeElement?.id;
    localTimes(fresh);
    const next = fresh.getElementById("list");
    const added = [...next.querySelectorAll("a[id]")].filter((link) => !known.has(link.id));
    added.forEach((link) => link.classList.add("fresh"));
    list.replaceChildren(...next.childNodes);
    if (document.body.classList.contains("all")) {
      document.title = fresh.title;
      document.getElementById("reading").replaceChildren(...fresh.getElementById("reading").childNodes);
    }
    if (focused && list.querySelector(`[id="${focused}"]`)) document.getElementById(focused).focus();
    document.getElementById("news").textContent = added.length === 1 ? "One new mail" : `${added.length} new mails`;
  };

  const look = async () => {
    if (document.hidden) return;
    const now = (await (await fetch("/newest", { cache: "no-store" })).json()).newest;
    if (now === newest) return;
    const page = await fetch(location.href, { cache: "no-store" });
    if (!page.ok) return;
    show(new DOMParser().parseFromString(await page.text(), "text/html"));
    newest = now;
  };

  const loop = async () => {
    try {
      await look();
    } catch {
      // The demo is away for a moment; the next round asks again.
    }
    setTimeout(loop, PERIOD_MS);
  };

  localTimes(document);
  setTimeout(loop, PERIOD_MS);
})();
