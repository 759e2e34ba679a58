-- Events, written in the transaction that makes them true; and the answers to calls that carry a request id.

CREATE TABLE outbox_events (
    id           uuid PRIMARY KEY,
    aggregate    text NOT NULL,
    version      bigint NOT NULL,
    kind         text NOT NULL,
    payload      bytea NOT NULL,
    trace_parent text,
    create_time  timestamptz NOT NULL DEFAULT now(),
    UNIQUE (aggregate, version)
);

CREATE TABLE idempotency_keys (
    caller       text NOT NULL,
    request_id   uuid NOT NULL,
    method       text NOT NULL,
    request_hash bytea NOT NULL,
    answer       bytea NOT NULL,
    create_time  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (caller, request_id)
);
