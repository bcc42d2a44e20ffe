// Who is signed in, told again when the visitor comes back from the page where one signs in.
async function tell() {
  const who = element.querySelector("[data-who]");
  const link = element.querySelector("a");
  if (!who || !link) return;
  try {
    const { name } = await (await fetch("whoami", { cache: "no-store" })).json();
    who.textContent = name ? `Signed in as ${name}.` : "You look and translate as a visitor.";
    link.textContent = name ? "Sign out" : "Sign in";
  } catch {
    // The lab is away; it says so itself.
  }
}
window.addEventListener("focus", tell);
document.addEventListener("visibilitychange", () => document.hidden || tell());
tell();
