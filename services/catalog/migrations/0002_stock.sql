-- Stock, the orders' claims on it, and the ledger of every change.

CREATE TABLE stock (
    variant_id uuid PRIMARY KEY REFERENCES variants (id),
    on_hand    bigint NOT NULL,
    reserved   bigint NOT NULL DEFAULT 0,
    -- The promise never to oversell, kept by the database whatever the code does.
    CONSTRAINT stock_never_oversold CHECK (0 <= reserved AND reserved <= on_hand)
);

-- One row for each order that ever asked; it is never deleted, so that a late call finds what was decided.
-- RELEASED without variants is a tombstone: the release came first.
CREATE TABLE reservations (
    order_id    uuid PRIMARY KEY,
    state       text NOT NULL CHECK (state IN ('HELD', 'CONFIRMED', 'RELEASED', 'REFUSED')),
    product_ids uuid[] NOT NULL,
    variant_ids uuid[] NOT NULL,
    quantities  integer[] NOT NULL,
    shortages   jsonb NOT NULL DEFAULT '[]',
    expire_time timestamptz,
    create_time timestamptz NOT NULL DEFAULT now(),
    update_time timestamptz NOT NULL DEFAULT now()
);

-- Append only. The sum of a variant's deltas is its on_hand.
CREATE TABLE stock_movements (
    id          uuid PRIMARY KEY,
    variant_id  uuid NOT NULL REFERENCES variants (id),
    delta       bigint NOT NULL CHECK (delta <> 0),
    reason      text NOT NULL,
    -- What it belongs to: "orders/{uuid}", or empty.
    reference   text NOT NULL DEFAULT '',
    create_time timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX stock_movements_variant ON stock_movements (variant_id, id);
