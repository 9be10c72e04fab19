// What the portal does better with scripts: no page needs this file to be read, chosen from or downloaded.
//
// Forms and links marked data-swap are asked for in the background and only the part that changed is put in place, so that
// the reader keeps place and focus. The address stays the whole state.

const root = document.documentElement;
const $ = (selector, within = document) => within.querySelector(selector);
const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];
const text = (name) => $("#texts")?.dataset[name] ?? "";
const lang = root.lang;
const number = new Intl.NumberFormat(lang);
const say = (words) => { const live = $("#live"); if (live) live.textContent = words; };

// Theme

const dark = () => (root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);

/** Pictures know the system's wish by themselves; what the reader chose they must be told. */
function dressPictures(within = document) {
  const chosen = root.dataset.theme;
  for (const source of $$("source[data-theme]", within)) {
    const wide = source.dataset.media;
    const fits = source.dataset.theme === "dark" ? "(prefers-color-scheme: dark)" : "all";
    const scheme = chosen ? (chosen === source.dataset.theme ? "all" : "not all") : fits;
    source.media = [wide, scheme].filter((part) => part && part !== "all").join(" and ").replace(/^.* and not all$/, "not all") || "all";
  }
}

$("#theme")?.addEventListener("click", () => {
  root.dataset.theme = dark() ? "light" : "dark";
  try { localStorage.setItem("theme", root.dataset.theme); } catch { /* then it holds for this page */ }
  dressPictures();
  say(root.dataset.theme === "dark" ? text("dark") : text("light"));
});

// Swapping

/** A form as a query string: values of one name together, what is empty left out. */
function query(form, submitter) {
  const values = new Map();
  const add = (name, value) => value !== "" && values.set(name, [...(values.get(name) ?? []), value]);
  for (const [name, value] of new FormData(form)) add(name, String(value));
  if (submitter?.name) add(submitter.name, submitter.value);
  const joined = ([name, list]) => {
    const one = name.startsWith("paste[") ? list.join(" ") : list.map((item) => (/[(,]/.test(item) && !item.startsWith("[") && name.startsWith("valueCodes") ? `[${item}]` : item)).join(",");
    return `${encodeURIComponent(name)}=${encodeURIComponent(one)}`;
  };
  return [...values].map(joined).join("&");
}

let asked = 0;

async function swap(address, { push = true, focus = null } = {}) {
  const mine = ++asked;
  const work = $("#work");
  if (!work) return location.assign(address);
  work.classList.add("busy");
  work.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(address, { headers: { accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (mine !== asked) return;
    const fresh = $("#work", page);
    if (!fresh) return location.assign(address);
    const open = new Set($$("details[id][open]", work).map((one) => one.id));
    const shut = new Set($$("details[id]:not([open])", work).map((one) => one.id));
    const scrolled = new Map($$("[data-keep-scroll]", work).map((one) => [one.id, one.scrollTop]));
    work.replaceWith(fresh);
    for (const one of $$("details[id]", fresh)) {
      if (open.has(one.id)) one.open = true;
      else if (shut.has(one.id)) one.open = false;
    }
    for (const [id, top] of scrolled) { const one = document.getElementById(id); if (one) one.scrollTop = top; }
    document.title = page.title;
    for (const link of $$("[data-lang]", page)) {
      const own = $(`[data-lang="${link.dataset.lang}"]`);
      if (own) own.href = link.href;
    }
    if (push) history.pushState(null, "", address);
    shown = place();
    wire(fresh);
    (focus && document.getElementById(focus))?.focus();
    say($("#summary", fresh)?.textContent ?? document.title);
  } catch {
    location.assign(address);
  }
}

/** What is shown: an address without the place on the page, to which a link may lead without anything new to be shown. */
const place = () => location.pathname + location.search;
let shown = place();

addEventListener("popstate", () => {
  if (place() === shown) return;
  shown = place();
  swap(location.href, { push: false });
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-swap]")) return;
  event.preventDefault();
  const address = `${form.getAttribute("action")}?${query(form, event.submitter)}`;
  swap(address, { focus: event.submitter?.id });
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-swap]");
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
  event.preventDefault();
  swap(link.href, { focus: link.id });
});

// The counter of cells, while the reader chooses

let counting;

function count(form) {
  clearTimeout(counting);
  const counter = $(".counter", form);
  if (!counter) return;
  counting = setTimeout(async () => {
    const wanted = query(form).split("&").filter((part) => !/^(heading|stub|view|labels|shade|sort|from|find|paste|at)/.test(part));
    const answer = await fetch(`${form.dataset.estimate}?${wanted.join("&")}`);
    const found = await answer.json();
    if (!answer.ok) counter.textContent = found.detail;
    else if (!found.fits) counter.textContent = text("cells").replace("{0}", number.format(found.cells));
    else {
      const share = new Intl.NumberFormat(lang, { style: "percent", maximumFractionDigits: 1 }).format(found.suppressedCells / Math.max(found.cells, 1));
      counter.textContent = text("counted").replace("{0}", number.format(found.cells)).replace("{1}", share);
    }
  }, 250);
}

// Searching in lists of codes

function narrow(input) {
  const wanted = input.value.trim().toLowerCase();
  for (const item of $$("li", document.getElementById(input.dataset.filter))) {
    item.hidden = wanted !== "" && !item.textContent.toLowerCase().includes(wanted);
  }
}

document.addEventListener("input", (event) => {
  const { target } = event;
  if (target.matches("[data-filter]")) narrow(target);
  else if (target.matches("[data-suggest]")) suggest(target);
  else if (target.form?.dataset.estimate) count(target.form);
});

document.addEventListener("change", (event) => {
  const { target } = event;
  if (target.matches("[data-submit]")) target.form.requestSubmit();
  else if (target.form?.dataset.estimate) count(target.form);
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-all]");
  if (!button) return;
  const boxes = $$("li:not([hidden]) input[type=checkbox]", document.getElementById(button.dataset.all));
  const on = boxes.some((box) => !box.checked);
  for (const box of boxes) box.checked = on;
  count(button.closest("form"));
});

// Suggestions: regions for a filter, anything for the search box

let suggesting;

function suggest(input) {
  clearTimeout(suggesting);
  const wanted = input.value.trim();
  suggesting = setTimeout(async () => {
    const box = input.dataset.suggest === "search" ? $(".suggestions") : null;
    if (wanted.length < 2) { if (box) box.hidden = true; return; }
    const answer = await fetch(`/search/suggest?lang=${lang}&kind=${input.dataset.suggest}&q=${encodeURIComponent(wanted)}`);
    if (!answer.ok || input.value.trim() !== wanted) return;
    const found = await answer.json();
    if (!box) {
      const list = document.getElementById(input.getAttribute("list"));
      list.replaceChildren(...found.map((one) => Object.assign(document.createElement("option"), { value: `${one.label} (${one.code})`, label: one.detail })));
      return;
    }
    box.replaceChildren(...found.map((one) => {
      const item = document.createElement("li");
      const link = Object.assign(document.createElement("a"), { href: one.href, textContent: one.label });
      link.append(Object.assign(document.createElement("small"), { textContent: one.detail }));
      item.append(link);
      return item;
    }));
    box.hidden = found.length === 0;
    if (found.length) say(text("suggestions").replace("{0}", found.length));
  }, 150);
}

document.addEventListener("keydown", (event) => {
  const { target, key } = event;
  if (key === "/" && !target.matches("input,textarea,select")) {
    const search = $("main input[type=search]");
    if (search) { event.preventDefault(); search.focus(); }
  }
  const box = $(".suggestions");
  if (box && !box.hidden && (target.matches("[data-suggest=search]") || box.contains(target))) {
    const links = $$("a", box);
    const at = links.indexOf(target);
    if (key === "ArrowDown") { event.preventDefault(); links[Math.min(at + 1, links.length - 1)]?.focus(); }
    else if (key === "ArrowUp") { event.preventDefault(); (links[at - 1] ?? $("[data-suggest=search]")).focus(); }
    else if (key === "Escape") { box.hidden = true; $("[data-suggest=search]").focus(); }
  }
  const cell = target.closest?.("td,tbody th");
  if (cell && cell.closest("table[data-grid]")) walk(event, cell);
});

document.addEventListener("focusout", (event) => {
  const box = $(".suggestions");
  if (box && !event.relatedTarget?.closest(".search")) setTimeout(() => { if (!document.activeElement?.closest(".search")) box.hidden = true; }, 150);
});

// Tables: arrow keys, explanations, copying, rows on demand

function walk(event, cell) {
  const row = cell.parentElement;
  const at = [...row.children].indexOf(cell) - row.children.length;
  const same = (other) => other?.children[other.children.length + at];
  const step = {
    ArrowLeft: () => cell.previousElementSibling,
    ArrowRight: () => cell.nextElementSibling,
    ArrowUp: () => same(row.previousElementSibling ?? row.parentElement.previousElementSibling?.querySelector("tr:last-child")),
    ArrowDown: () => same(row.nextElementSibling ?? row.parentElement.nextElementSibling?.querySelector("tr")),
    Home: () => row.children[0],
    End: () => row.lastElementChild,
  }[event.key];
  if (!step) return;
  const next = step();
  if (!next || next.closest("thead")) return;
  event.preventDefault();
  cell.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
}

let tip;

function explain(cell) {
  tip?.remove();
  tip = null;
  const mark = cell && ["c", "z", "x"].find((one) => cell.classList.contains(one));
  const meaning = mark && $(`.legend [data-mark="${mark}"]`);
  if (!meaning) return;
  tip = document.createElement("div");
  tip.className = "tip";
  tip.role = "tooltip";
  tip.id = "tip";
  tip.textContent = meaning.textContent;
  document.body.append(tip);
  cell.setAttribute("aria-describedby", "tip");
  const { left, bottom, top } = cell.getBoundingClientRect();
  const below = bottom + tip.offsetHeight + 8 < innerHeight;
  tip.style.left = `${Math.max(8, Math.min(left, innerWidth - tip.offsetWidth - 8))}px`;
  tip.style.top = `${below ? bottom + 6 : top - tip.offsetHeight - 6}px`;
}

document.addEventListener("focusin", (event) => explain(event.target.closest?.("td")));
document.addEventListener("pointerover", (event) => { const cell = event.target.closest?.("td"); if (cell || tip) explain(cell); });
// The explanation goes along with the cell that has the focus; one that was only pointed at has moved away.
document.addEventListener("scroll", () => tip && explain(document.activeElement?.closest?.("td") ?? null), true);

document.addEventListener("copy", (event) => {
  const table = document.activeElement?.closest?.("table[data-grid]");
  if (!table || String(getSelection())) return;
  const lines = $$("tr", table).map((row) => [...row.children].map((cell) => cell.textContent.trim()).join("\t"));
  event.clipboardData.setData("text/plain", lines.join("\n"));
  event.clipboardData.setData("text/html", table.outerHTML);
  event.preventDefault();
  say(text("copied"));
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
  say(text("copied"));
  button.textContent = text("copied");
});

/** Rows that follow are asked for when they come near; those far away give their place to an empty row of the same height. */
function lengthen(table) {
  const scroll = table.closest(".scroll");
  const watch = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (target.matches("[data-next]")) { if (isIntersecting) more(target); continue; }
      if (isIntersecting && target.kept) {
        target.replaceChildren(...target.kept);
        target.kept = null;
      } else if (!isIntersecting && !target.kept && !target.contains(document.activeElement)) {
        const height = target.offsetHeight;
        if (height < 200) continue;
        target.kept = [...target.children];
        const row = document.createElement("tr");
        const cell = document.createElement("td");
        cell.colSpan = 1000;
        cell.style.height = `${height}px`;
        row.append(cell);
        target.replaceChildren(row);
      }
    }
  }, { root: scroll, rootMargin: "1200px 0px" });
  async function more(last) {
    watch.unobserve(last);
    const answer = await fetch(last.dataset.next);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const body = $("table[data-grid] tbody", page);
    const next = $("[data-next]", page);
    if (!body) return;
    table.append(document.adoptNode(body));
    watch.observe(table.lastElementChild);
    if (next) { last.dataset.next = next.dataset.next; $("a", last).href = $("a", next).href; watch.observe(last); } else last.remove();
  }
  for (const body of table.tBodies) watch.observe(body);
  const next = $("[data-next]", scroll);
  if (next) watch.observe(next);
}

// Sizes of downloads, when the menu is opened

document.addEventListener("toggle", async (event) => {
  const menu = event.target;
  if (!menu.matches?.(".menu") || !menu.open || menu.dataset.done) return;
  menu.dataset.done = "yes";
  for (const cell of $$("[data-size]", menu)) {
    const answer = await fetch(cell.dataset.size);
    if (!answer.ok) { cell.textContent = "–"; continue; }
    const { bytes } = await answer.json();
    if (bytes === undefined) continue;
    const [unit, by] = bytes < 1e6 ? ["kilobyte", 1e3] : ["megabyte", 1e6];
    cell.textContent = new Intl.NumberFormat(lang, { style: "unit", unit, maximumFractionDigits: bytes < 1e4 ? 1 : 0 }).format(bytes / by);
  }
}, true);

function wire(within = document) {
  dressPictures(within);
  // On a narrow screen the choice stands before the table: folded together, so that the table is near.
  if (within === document && matchMedia("(max-width: 61.99rem)").matches) for (const one of $$(".parts > details")) one.open = false;
  for (const table of $$("table[data-grid]", within)) {
    const first = $("tbody td", table);
    if (first) first.tabIndex = 0;
    if (table.dataset.grid === "long") lengthen(table);
  }
}

wire();
