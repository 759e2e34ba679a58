-- What was bought: a snapshot of the moment it was accepted, which never changes, and where it stands.

CREATE TABLE orders (
    id               uuid PRIMARY KEY,
    -- What people call it.
    number           text NOT NULL CONSTRAINT orders_number_key UNIQUE,
    state            text NOT NULL CHECK (state IN ('PROCESSING', 'COMPLETED', 'REJECTED')),
    cart_id          text NOT NULL REFERENCES carts (id),
    user_id          uuid,
    email            text NOT NULL,
    shipping_address jsonb,
    currency         char(3) NOT NULL,
    -- Names, SKUs, quantities and prices, line by line.
    lines            jsonb NOT NULL,
    total_minor      bigint NOT NULL CHECK (total_minor >= 0),
    captured_minor   bigint NOT NULL DEFAULT 0,
    payment_state    text NOT NULL DEFAULT 'PENDING'
                     CHECK (payment_state IN ('PENDING', 'CAPTURED', 'DECLINED', 'VOIDED')),
    rejection        jsonb,
    -- Counts its events.
    version          bigint NOT NULL DEFAULT 1,
    create_time      timestamptz NOT NULL DEFAULT now(),
    update_time      timestamptz NOT NULL DEFAULT now(),
    -- Money was taken exactly from completed orders, and exactly the total.
    CONSTRAINT orders_completed_is_paid CHECK (
        (state = 'COMPLETED') = (payment_state = 'CAPTURED')
        AND captured_minor = CASE WHEN state = 'COMPLETED' THEN total_minor ELSE 0 END
    ),
    CONSTRAINT orders_rejected_says_why CHECK ((state = 'REJECTED') = (rejection IS NOT NULL))
);

-- A cart is one order at most, but for those that came to nothing.
CREATE UNIQUE INDEX orders_one_per_cart ON orders (cart_id) WHERE state <> 'REJECTED';

-- An order that is being driven to its end. The row goes when the order ends.
CREATE TABLE sagas (
    order_id      uuid PRIMARY KEY REFERENCES orders (id),
    -- What the buyer's client got from the payment provider. A secret: it goes with the row.
    payment_token text NOT NULL,
    -- Set once the order is to come to nothing, and why.
    rejection     jsonb,
    -- Who drives it: the process that holds the lease. Every write names the epoch, so that one whose lease
    -- went to another can't write any more.
    epoch         bigint NOT NULL DEFAULT 1,
    lease_until   timestamptz NOT NULL,
    attempts      integer NOT NULL DEFAULT 0,
    -- W3C trace context of the call that placed the order.
    trace_parent  text
);

CREATE INDEX sagas_lease ON sagas (lease_until);
