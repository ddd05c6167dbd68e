-- name: keep
INSERT INTO deliveries (id, source, sender, body, received_at)
VALUES (:id, :source, :sender, :body, :received_at)
ON CONFLICT (id) DO NOTHING;

-- name: unhandled
SELECT id, source, sender, body, received_at
FROM deliveries
WHERE handled_at IS NULL
ORDER BY number
LIMIT :limit;

-- name: handled_at
SELECT handled_at FROM deliveries WHERE id = :id;

-- name: settle
UPDATE deliveries
SET handled_at = :at, dropped_for = :reason
WHERE id = :id AND handled_at IS NULL;
