-- One row for each order from now on: its epoch must never begin anew. It is at rest, without a lease, when there is nothing to do
-- for the order; a refund wakes it.
ALTER TABLE sagas
    ALTER COLUMN lease_until DROP NOT NULL,
    -- Set once the units are known to be taken: then there is no way back.
    ADD COLUMN committed boolean NOT NULL DEFAULT false,
    -- When a purchase that is not settled comes to nothing.
    ADD COLUMN deadline timestamptz DEFAULT now() + interval '1 day',
    -- Who holds the lease, for people; empty once it was given up in good order.
    ADD COLUMN process text NOT NULL DEFAULT '';

-- Whose lease runs out next, among those that do not rest.
CREATE INDEX sagas_leased ON sagas (lease_until) WHERE lease_until IS NOT NULL;
DROP INDEX sagas_lease;
