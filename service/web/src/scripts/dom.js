/** DOM without HTML strings: what people typed can never become markup. */

/** An element. `props`: attributes; `on` holds listeners; null and false leave an attribute out. */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name === "on") for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** The element with this id. */
export function byId(id) {
  return document.getElementById(id);
}

/** Put `children` in the place of what is in `element`. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Show or hide. */
export function show(element, visible = true) {
  element.hidden = !visible;
  return element;
}

/** Say something to screen readers without moving anybody. The layout has the live region. */
export function announce(text) {
  const region = byId("announcer");
  if (region && region.textContent !== text) region.textContent = text;
}
