/** What comes after the order: to the payment provider, or to the order's page. */

import { askPatiently } from "./api.js";

/** Go on from a placed order. */
export async function goOn(order, phone) {
  if (order.payment !== "cod" && order.status === "placed") {
    try {
      await pay(order.number, phone);
      return;
    } catch {
      // The order stands; its page offers to pay again.
    }
  }
  location.replace(`order.html?number=${encodeURIComponent(order.number)}`);
}

/** Begin a payment and go to the provider's page. */
export async function pay(number, phone) {
  const { redirect_url: url } = await askPatiently("/payments", { method: "POST", body: { number, phone }, patience: 40_000 }, { attempts: 3 });
  location.assign(url);
}
