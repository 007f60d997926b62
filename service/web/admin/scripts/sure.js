/** A button for what can not be undone: the first press asks, the second does it. */

import { announce, h } from "../../src/scripts/dom.js";

/** `act(button)` after the second press; leaving the button takes the first one back. */
export function sureButton({ text, sure, act, kind = "quiet", ...more }) {
  let asked = false;
  const say = (now) => {
    asked = now;
    button.textContent = now ? sure : text;
  };
  const click = (event) => {
    if (event.detail > 1) return; // a double click is no answer
    if (asked) {
      act(button);
      return;
    }
    say(true);
    announce(sure);
  };
  const button = h("button", { type: "button", class: `button ${kind}`, ...more, on: { click, blur: () => say(false) } }, text);
  return button;
}
