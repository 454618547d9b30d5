// What the theme leaves out for keyboards and screen readers; checked by tests/docs with axe.
document.addEventListener("DOMContentLoaded", () => {
  for (const title of document.querySelectorAll("p.caption[role=heading]")) {
    title.setAttribute("aria-level", "2");
  }
  for (const [place, name] of [[".sidebar-drawer", "All pages"], [".toc-drawer", "This page"]]) {
    document.querySelector(place)?.setAttribute("aria-label", name);
  }
  for (const head of document.querySelectorAll("thead")) {
    if (!head.textContent.trim()) head.remove();
  }
  for (const cell of document.querySelectorAll("th")) {
    if (!cell.textContent.trim() && !cell.querySelector("img")) {
      cell.replaceWith(document.createElement("td"));
    }
  }
  const reachable = () => {
    for (const one of document.querySelectorAll("pre, .table-wrapper, div.math")) {
      if (one.scrollWidth > one.clientWidth) one.tabIndex = 0;
      else one.removeAttribute("tabindex");
    }
  };
  reachable();
  addEventListener("resize", reachable);
});
