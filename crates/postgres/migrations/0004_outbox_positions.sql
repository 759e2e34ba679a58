-- Positions, by which readers page. Events get theirs after their commit; why, is told in kontor_postgres::outbox.

ALTER TABLE outbox_events ADD COLUMN position bigint;

CREATE UNIQUE INDEX outbox_events_position ON outbox_events (position) WHERE position IS NOT NULL;

CREATE INDEX outbox_events_unsequenced ON outbox_events (id) WHERE position IS NULL;

-- The last position that was given. Whoever gives positions holds the one row locked.
CREATE TABLE outbox_head (
    id            int PRIMARY KEY CHECK (id = 1),
    last_position bigint NOT NULL
);

INSERT INTO outbox_head (id, last_position) VALUES (1, 0);
