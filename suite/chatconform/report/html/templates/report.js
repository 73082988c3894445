"use strict";
(() => {
  const root = document.documentElement;
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];

  // The theme: as the system says, until somebody chooses.
  const button = document.querySelector(".theme");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const remembered = (value) => {
    try {
      if (value) localStorage.setItem("chatconform-theme", value);
      return localStorage.getItem("chatconform-theme");
    } catch {
      return value;
    }
  };
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);
  const name = () => { button.textContent = isDark() ? "Light" : "Dark"; };
  const chosen = remembered(null);
  if (chosen === "dark" || chosen === "light") root.dataset.theme = chosen;
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    remembered(root.dataset.theme);
    name();
  });
  dark.addEventListener("change", name);
  button.hidden = false;
  name();

  // A fragment opens the card that it names, and whatever that stands in.
  const open = () => {
    const id = decodeURIComponent(location.hash.slice(1));
    const target = id && document.getElementById(id);
    if (!target) return;
    for (let each = target; each; each = each.parentElement) if (each.tagName === "DETAILS") each.open = true;
    const own = target.querySelector(":scope > details");
    if (own) own.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", open);
  open();

  // What is printed is open.
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = all("details:not([open])");
    for (const each of closed) each.open = true;
  });
  addEventListener("afterprint", () => {
    for (const each of closed) each.open = false;
  });

  // Copying what stands there anyway.
  for (const each of all("[data-copy]")) {
    each.hidden = !navigator.clipboard;
    each.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.getElementById(each.dataset.copy).textContent);
      each.textContent = "Copied";
      setTimeout(() => { each.textContent = "Copy"; }, 2000);
    });
  }

  // The filters of the matrix.
  const form = document.querySelector(".filters");
  if (!form) return;
  const bodies = all("table.matrix tbody");
  const total = all("table.matrix tbody tr:not(.head)").length;
  const apply = () => {
    const show = form.elements.show.value;
    const group = form.elements.group.value;
    let count = 0;
    for (const body of bodies) {
      let any = false;
      for (const row of body.rows) {
        if (row.className === "head") continue;
        const kept = (!group || body.dataset.group === group) && (show === "all" || row.classList.contains(show));
        row.hidden = !kept;
        any = any || kept;
        count += kept;
      }
      body.hidden = !any;
    }
    const noun = total === 1 ? "check" : "checks";
    form.querySelector("output").textContent = count === total ? `${total} ${noun}` : `${count} of ${total} ${noun}`;
  };
  form.addEventListener("change", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  apply();
})();
