// Links to a section of the page. `element` is given by Gradio, whose base address would make a
// plain link load the page anew.
const goTo = (hash) => {
  const section = /^#guide-\w+$/.test(hash) && document.querySelector(hash);
  if (!section) return;
  section.tabIndex = -1;
  section.focus({ preventScroll: true });
  section.scrollIntoView();
};
element.addEventListener("click", (event) => {
  const link = event.target.closest('a[href^="#"]');
  if (!link) return;
  event.preventDefault();
  const address = new URL(window.location);
  address.hash = link.getAttribute("href");
  window.history.replaceState(null, "", address);
  goTo(address.hash);
});
setTimeout(() => goTo(window.location.hash), 300); // the sections below are not there yet
