-- Holds that end by themselves, and units that come back.

-- Named anew: what an unnamed one is called differs between databases.
ALTER TABLE reservations DROP CONSTRAINT IF EXISTS reservations_state_check;
ALTER TABLE reservations DROP CONSTRAINT IF EXISTS check_state;
ALTER TABLE reservations ADD CONSTRAINT reservations_state_known
    CHECK (state IN ('HELD', 'CONFIRMED', 'RELEASED', 'REFUSED', 'EXPIRED'));

-- Counts the events of the reservation.
ALTER TABLE reservations ADD COLUMN version bigint NOT NULL DEFAULT 1;
-- How many units of each line came back; empty if none ever did.
ALTER TABLE reservations ADD COLUMN returned integer[] NOT NULL DEFAULT '{}';

-- Those that were held first have a second event: their end.
UPDATE reservations SET version = 2 WHERE state IN ('CONFIRMED', 'RELEASED') AND cardinality(variant_ids) > 0;

-- What is to expire next is a range of this index.
CREATE INDEX reservations_held ON reservations (expire_time) WHERE state = 'HELD';
