-- Orders that are called off, and money that is given back.

-- Named anew: what an unnamed one is called differs between databases.
ALTER TABLE orders DROP CONSTRAINT IF EXISTS orders_state_check;
ALTER TABLE orders DROP CONSTRAINT IF EXISTS check_state;
ALTER TABLE orders
    ADD CONSTRAINT orders_state_known CHECK (state IN ('PROCESSING', 'COMPLETED', 'REJECTED', 'CANCELLED')),
    ADD COLUMN refunded_minor bigint NOT NULL DEFAULT 0,
    -- When and why it was called off, as long as that is possible, and once it is.
    ADD COLUMN cancel_time timestamptz,
    ADD COLUMN cancel_reason text NOT NULL DEFAULT '',
    ADD CONSTRAINT orders_refunded_was_captured CHECK (0 <= refunded_minor AND refunded_minor <= captured_minor),
    ADD CONSTRAINT orders_cancelled_says_when CHECK (state <> 'CANCELLED' OR cancel_time IS NOT NULL);

-- A cart is one order at most, but for those that came to nothing.
CREATE UNIQUE INDEX orders_one_live_per_cart ON orders (cart_id) WHERE state NOT IN ('REJECTED', 'CANCELLED');
DROP INDEX orders_one_per_cart;

CREATE TABLE refunds (
    id           uuid PRIMARY KEY,
    order_id     uuid NOT NULL REFERENCES orders (id),
    state        text NOT NULL DEFAULT 'PENDING' CHECK (state IN ('PENDING', 'SUCCEEDED', 'FAILED')),
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    -- Units that go back into stock with it.
    restock      jsonb NOT NULL,
    reason       text NOT NULL,
    failure      text NOT NULL DEFAULT '',
    -- Taken under the saga's lock, so that refunds are in the order in which they were asked for, whatever clocks processes have.
    create_time  timestamptz NOT NULL DEFAULT clock_timestamp(),
    update_time  timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX refunds_order ON refunds (order_id, create_time);

-- What happened to an order. Append only.
CREATE TABLE order_history (
    id          uuid PRIMARY KEY,
    order_id    uuid NOT NULL REFERENCES orders (id),
    -- The refund that it belongs to, if it is not the purchase.
    refund_id   uuid,
    epoch       bigint NOT NULL,
    process     text NOT NULL,
    kind        text NOT NULL,
    step        text NOT NULL,
    attempt     integer NOT NULL,
    outcome     text NOT NULL,
    message     text NOT NULL,
    create_time timestamptz NOT NULL,
    -- When it was written, by the database's clock: under the saga's lock, so that epochs never go down in this order.
    write_time  timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE INDEX order_history_order ON order_history (order_id, id);
