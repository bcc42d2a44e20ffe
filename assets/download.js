// Saves a text that the server made as a file. `element`, `props` and `watch` are given by Gradio.
watch("value", () => {
  const file = props.value;
  if (!file || !file.name) return;
  const address = URL.createObjectURL(new Blob([file.text], { type: "text/plain;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = file.name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
});
