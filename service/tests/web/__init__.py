"""The storefront: how it is built, what its pages hold, nginx before it, and a shopper in a real browser."""
