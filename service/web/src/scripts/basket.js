/** The cart: products and quantities in this browser, nothing else. The server prices it. */

const PLACE = "cart.v1";
export const MAX_LINES = 20;
export const MAX_QUANTITY = 10;
const listeners = new Set();

/** Lines as the API wants them, in the order they were put in. */
export function lines() {
  let stored = [];
  try {
    stored = JSON.parse(localStorage.getItem(PLACE) ?? "[]");
  } catch {
    return [];
  }
  if (!Array.isArray(stored)) return [];
  return stored
    .filter((line) => typeof line?.product === "string" && Number.isInteger(line.quantity) && line.quantity > 0)
    .slice(0, MAX_LINES)
    .map((line) => ({ product: line.product, quantity: Math.min(line.quantity, MAX_QUANTITY) }));
}

/** How many pieces of a product. */
export function quantityOf(product) {
  return lines().find((line) => line.product === product)?.quantity ?? 0;
}

/** How many pieces in all. */
export function count() {
  return lines().reduce((sum, line) => sum + line.quantity, 0);
}

/** Have so many of a product; 0 takes it out. False if the cart is full. */
export function put(product, quantity) {
  const now = lines();
  const line = now.find((each) => each.product === product);
  if (!line && now.length >= MAX_LINES && quantity > 0) return false;
  const wanted = Math.max(0, Math.min(quantity, MAX_QUANTITY));
  if (line) line.quantity = wanted;
  else now.push({ product, quantity: wanted });
  save(now.filter((each) => each.quantity > 0));
  return true;
}

/** Take out what was ordered. */
export function takeOut(ordered) {
  const gone = new Set(ordered.map((line) => line.product));
  save(lines().filter((line) => !gone.has(line.product)));
}

/** Call `listener` after each change, also one made in another tab. */
export function onChange(listener) {
  listeners.add(listener);
}

function save(now) {
  try {
    localStorage.setItem(PLACE, JSON.stringify(now));
  } catch {
    // A browser that keeps nothing (private mode, full disk): the cart ends with the page.
  }
  listeners.forEach((listener) => listener());
}

addEventListener("storage", (event) => {
  if (event.key === PLACE) listeners.forEach((listener) => listener());
});
