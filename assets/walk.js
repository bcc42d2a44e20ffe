// While the walk is shown the address says so, so that a reload goes on with it.
const remember = (walking) => {
  const address = new URL(window.location);
  walking ? address.searchParams.set("demo", "1") : address.searchParams.delete("demo");
  window.history.replaceState(null, "", address);
};
watch("value", () => {
  if (element.querySelector(".walk")) remember(true);
});
element.addEventListener("click", (event) => {
  if (event.target.closest('[data-click="dismiss"]')) remember(false);
});
