-- What buyers are about to order. Prices are not kept here: they are the catalog's.

CREATE TABLE carts (
    -- 128 random bits in base64url: whoever holds a guest cart's id may use it.
    id               text PRIMARY KEY CHECK (length(id) = 22),
    -- NULL for a guest's.
    user_id          uuid,
    currency         char(3) NOT NULL,
    email            text NOT NULL DEFAULT '',
    shipping_address jsonb,
    -- The order that it became; NULL while it is open.
    order_id         uuid,
    create_time      timestamptz NOT NULL DEFAULT now(),
    update_time      timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE cart_items (
    cart_id    text NOT NULL REFERENCES carts (id),
    product_id uuid NOT NULL,
    variant_id uuid NOT NULL,
    quantity   integer NOT NULL CHECK (quantity > 0),
    -- In the order in which they were put in.
    add_time   timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (cart_id, variant_id)
);
