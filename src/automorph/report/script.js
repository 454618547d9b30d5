// Optional: adds copy buttons, and expands all details for printing.
"use strict";
for (const button of document.querySelectorAll("button.copy")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const source = document.getElementById(button.dataset.from);
    let done = true;
    try {
      await navigator.clipboard.writeText(source.textContent);
    } catch {
      const folded = source.closest("details");
      if (folded) folded.open = true;
      getSelection().selectAllChildren(source);
      done = document.execCommand("copy");
    }
    const words = button.textContent;
    button.textContent = done ? "Copied" : "Selected: press Ctrl+C";
    document.getElementById("copy-status").textContent = button.textContent;
    setTimeout(() => { button.textContent = words; }, 2000);
  });
}
const unfolded = [];
addEventListener("beforeprint", () => {
  for (const part of document.querySelectorAll("details:not([open])")) {
    part.open = true;
    unfolded.push(part);
  }
});
addEventListener("afterprint", () => {
  for (const part of unfolded.splice(0)) part.open = false;
});
