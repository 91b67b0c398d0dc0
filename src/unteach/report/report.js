"use strict";
for (const player of document.querySelectorAll(".player")) {
  const frames = [...player.querySelectorAll(":scope > .frame")];
  const controls = player.querySelector(".controls");
  const slider = controls.querySelector("input");
  const play = controls.querySelector("button");
  const shown = controls.querySelector("output");
  let timer = 0;
  const show = (at) => {
    frames.forEach((frame, k) => frame.classList.toggle("on", k === at));
    slider.value = at;
    shown.value = frames[at].dataset.label;
    slider.setAttribute("aria-valuetext", shown.value);
  };
  const stop = () => {
    clearInterval(timer);
    timer = 0;
    play.textContent = "Play";
    play.setAttribute("aria-label", "play the frames");
  };
  const step = (by) => show((Number(slider.value) + by + frames.length) % frames.length);
  slider.addEventListener("input", () => { stop(); show(Number(slider.value)); });
  play.addEventListener("click", () => {
    if (timer) { stop(); return; }
    if (Number(slider.value) === frames.length - 1) show(0);
    play.textContent = "Pause";
    play.setAttribute("aria-label", "pause");
    timer = setInterval(() => {
      step(1);
      if (Number(slider.value) === frames.length - 1) stop();
    }, 800);
  });
  player.addEventListener("keydown", (event) => {
    if (event.target === slider || event.altKey || event.ctrlKey || event.metaKey) return;
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (by) { stop(); step(by); event.preventDefault(); }
  });
  player.tabIndex = -1;
  controls.hidden = false;
  player.classList.add("live");
  show(0);
}
for (const block of document.querySelectorAll(".copyable")) {
  const button = block.querySelector("button");
  const text = block.querySelector("code").textContent;
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(block.querySelector("code"));
      button.textContent = "Selected";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 1600);
  });
}
