-- Products and their variants. Money: whole minor units and the currency's three letters.

CREATE TABLE products (
    id           uuid PRIMARY KEY,
    handle       text NOT NULL CONSTRAINT products_handle_key UNIQUE,
    title        text NOT NULL,
    description  text NOT NULL,
    status       text NOT NULL CHECK (status IN ('DRAFT', 'ACTIVE', 'ARCHIVED')),
    vendor       text NOT NULL,
    product_type text NOT NULL,
    tags         text[] NOT NULL,
    option_names text[] NOT NULL,
    version      bigint NOT NULL DEFAULT 1,
    create_time  timestamptz NOT NULL DEFAULT now(),
    update_time  timestamptz NOT NULL DEFAULT now()
);

-- A page of the list is a range of this index.
CREATE INDEX products_active ON products (id) WHERE status = 'ACTIVE';

CREATE TABLE variants (
    id               uuid PRIMARY KEY,
    product_id       uuid NOT NULL REFERENCES products (id),
    position         integer NOT NULL,
    -- Empty SKUs are NULL, so that any number of variants may go without.
    sku              text CONSTRAINT variants_sku_key UNIQUE CHECK (sku <> ''),
    price_minor      bigint NOT NULL CHECK (price_minor >= 0),
    compare_at_minor bigint CHECK (compare_at_minor >= 0),
    currency         char(3) NOT NULL,
    option_values    text[] NOT NULL,
    barcode          text NOT NULL,
    weight_grams     integer NOT NULL CHECK (weight_grams >= 0)
);

CREATE INDEX variants_product ON variants (product_id, position);
