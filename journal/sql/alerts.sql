-- name: add
INSERT INTO alerts (fingerprint, started_at, status, incident_id, delivery_id, alert, filed_at)
VALUES (:fingerprint, :started_at, :status, :incident_id, :delivery_id, :alert, :at);

-- name: repeat
UPDATE alerts
SET repeats_count = repeats_count + 1, repeated_at = :at
WHERE fingerprint = :fingerprint AND started_at = :started_at AND status = :status;

-- name: twin
SELECT alerts.incident_id, incidents.state
FROM alerts
LEFT JOIN incidents ON incidents.id = alerts.incident_id
WHERE fingerprint = :fingerprint AND started_at = :started_at AND status = :twin_status;

-- name: known
SELECT alerts.incident_id, incidents.state
FROM alerts
JOIN incidents ON incidents.id = alerts.incident_id
WHERE fingerprint = :fingerprint AND started_at <= :started_at
ORDER BY (incidents.state <> 'closed') DESC, alerts.number DESC
LIMIT 1;

-- name: of_incident
SELECT alert FROM alerts WHERE incident_id = :id ORDER BY number;

-- name: count_of_incident
SELECT count(*) FROM alerts WHERE incident_id = :id;
