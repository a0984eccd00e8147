"use strict";
// The page works without this: it follows the conversation, shows times in the reader's zone and counts down.
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  const language = root.lang;
  const short = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });

  const localise = (place) => {
    for (const time of place.querySelectorAll("time[datetime]")) {
      const at = new Date(time.dateTime);
      if (!Number.isNaN(at.getTime())) {
        time.title = time.textContent;
        time.textContent = short.format(at);
      }
    }
  };
  localise(document);

  const scroll = document.querySelector(".scroll");
  const toEnd = () => { if (scroll) scroll.scrollTop = scroll.scrollHeight; };
  toEnd();

  const question = document.body.dataset.question;
  const talk = document.getElementById("talk");
  if (question && talk) {
    const here = location.pathname.replace(/\/+$/, "");
    const look = async () => {
      if (document.hidden) return;
      try {
        const answer = await fetch(`${here}/talk?lang=${language}&after=${talk.dataset.newest}`, { headers: { accept: "application/json" } });
        if (!answer.ok) return;
        const news = await answer.json();
        if (String(news.question) !== question) {
          location.replace(location.href.split("#")[0]); // decided, or asked anew: the server tells the rest
          return;
        }
        const box = document.createElement("template");
        box.innerHTML = news.html; // the server has escaped every word in it
        const near = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 80;
        for (const line of [...box.content.querySelectorAll("li[data-seq]")]) {
          if (Number(line.dataset.seq) <= Number(talk.dataset.newest)) continue;
          talk.dataset.newest = line.dataset.seq;
          document.getElementById("empty")?.remove();
          localise(line);
          talk.append(line);
        }
        if (near) toEnd();
      } catch { /* the next look may succeed */ }
    };
    setInterval(look, 3000);
    document.addEventListener("visibilitychange", look);
  }

  const form = document.getElementById("decide");
  if (form instanceof HTMLFormElement) {
    form.addEventListener("submit", () => {
      const button = form.querySelector("button[type=submit]");
      setTimeout(() => { button.disabled = true; }, 0); // a second press would only be told that the first one counted
    });
    addEventListener("pageshow", () => { form.querySelector("button[type=submit]").disabled = false; });
  }

  const left = document.getElementById("left");
  const undo = document.querySelector("form.undo");
  if (left && undo) {
    const shown = performance.now();
    const end = shown + Number(left.dataset.left) * 1000;
    const clock = setInterval(() => {
      const seconds = Math.ceil((end - performance.now()) / 1000);
      left.textContent = String(Math.max(0, seconds));
      if (seconds <= 0) { undo.remove(); clearInterval(clock); }
    }, 250);
    let held = false;
    undo.addEventListener("submit", (event) => {
      const early = shown + 2300 - performance.now(); // a form counts after two seconds; whoever undoes is in a hurry
      if (early <= 0) return;
      event.preventDefault();
      if (held) return;
      held = true;
      setTimeout(() => undo.requestSubmit(event.submitter), early);
    });
  }
})();
