-- One order in one transaction, as one statement: the same tables and rows as the shop's, for pgbench.
WITH fresh AS (
  INSERT INTO idempotency_key (key, fingerprint, status, response, created_at)
  VALUES (gen_random_uuid()::text, decode(repeat('00', 32), 'hex'), 201, convert_to(repeat('x', 350), 'UTF8'), now())
  RETURNING key
), taken AS (
  UPDATE stock SET available = available - 1 WHERE product_id = :product AND available >= 1 RETURNING product_id
), placed AS (
  INSERT INTO orders (number, status, payment_method, language, name, phone, district, address,
    subtotal_poisha, delivery_poisha, total_poisha, reserved_until, stock_released, created_at, updated_at)
  SELECT left(replace(key, '-', ''), 16), 'placed', 'cod', 'bn', 'ক্রেতা', '01712345678', 'dhaka', 'বাড়ি ১২, সড়ক ৫',
    :price, 6000, :price + 6000, NULL, false, now(), now()
  FROM fresh, taken
  RETURNING number
)
INSERT INTO order_line (order_number, product_id, quantity, unit_price_poisha)
SELECT number, :product, 1, :price FROM placed;
