// The page is complete without this: it brings in a newer one every two seconds, node by node, so
// that focus, selection and scrolling stay, and reads values off the plots.
"use strict";
(() => {
  const EVERY_MS = 2000, PATIENCE_MS = 8000;
  const page = document.getElementById("page");
  let lastAnswer = Date.now();

  function adoptAttributes(old, fresh) {
    for (const { name, value } of [...fresh.attributes])
      if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    for (const { name } of [...old.attributes])
      if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  }

  function adopt(old, fresh) {
    if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName) {
      old.replaceWith(document.importNode(fresh, true));
    } else if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.data !== fresh.data) old.data = fresh.data;
    } else if (!old.hasAttribute("data-keep")) {
      adoptAttributes(old, fresh);
      const children = [...old.childNodes], others = [...fresh.childNodes];
      others.forEach((other, i) =>
        children[i] ? adopt(children[i], other) : old.append(document.importNode(other, true)));
      children.slice(others.length).forEach((child) => child.remove());
    }
  }

  // The daemon says nothing: what the page shows may not be true any more.
  function showSilence() {
    page.classList.add("stale");
    const header = page.querySelector("header");
    header.className = "verdict trouble";
    const since = new Date(lastAnswer).toLocaleTimeString();
    header.querySelector("h1").textContent = "No answer";
    header.querySelector("#verdict").textContent =
      `The daemon has not answered since ${since}; what is below is from then.`;
    document.title = "✕ No answer – caes-sync";
  }

  async function refresh() {
    try {
      const answer = await fetch(location.href, {
        cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
      if (!answer.ok) throw new Error(answer.statusText);
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      adopt(page, fresh.getElementById("page"));
      document.title = fresh.title;
      adopt(document.querySelector("link[rel=icon]"), fresh.querySelector("link[rel=icon]"));
      lastAnswer = Date.now();
    } catch {
      showSilence();
    }
    setTimeout(whenSeen, EVERY_MS);
  }

  function whenSeen() {
    if (document.visibilityState === "visible") refresh();
    else document.addEventListener("visibilitychange", whenSeen, { once: true });
  }

  function words(seconds) {
    if (seconds < 10) return `${seconds.toFixed(1)} s`;
    if (seconds < 60) return `${Math.round(seconds)} s`;
    if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
    return `${(seconds / 3600).toFixed(1)} h`;
  }

  page.addEventListener("pointermove", (event) => {
    const plot = event.target.closest(".plot");
    if (!plot || !plot.dataset.values) return;
    const values = plot.dataset.values.split(" ").map(Number), points = 240;
    const box = plot.getBoundingClientRect();
    const x = Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1);
    const at = Math.round(x * (points - 1)) - (points - values.length);
    const tip = plot.querySelector(".tip");
    tip.hidden = at < 0;
    if (at < 0) return;
    const ago = (values.length - 1 - at) * Number(plot.dataset.step);
    tip.textContent = `${ago ? `${words(ago)} ago` : "now"}: ${words(values[at])}`;
    tip.style.left = `${Math.min(Math.max(x, 0.15), 0.85) * 100}%`;
  });
  page.addEventListener("pointerout", (event) => {
    const tip = event.target.closest(".plot")?.querySelector(".tip");
    if (tip) tip.hidden = true;
  });

  setTimeout(whenSeen, EVERY_MS);
})();
