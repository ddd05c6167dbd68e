-- name: intent
SELECT action, intended_at, outcome FROM intents WHERE action_key = :key;

-- name: intend
INSERT INTO intents (action_key, incident_id, action, intended_at)
VALUES (:key, :incident_id, :action, :at);

-- name: settle
UPDATE intents SET outcome = :outcome WHERE action_key = :key;

-- name: approval
SELECT approval FROM approvals WHERE action_key = :key;

-- name: decide
INSERT INTO approvals (action_key, incident_id, approver, granted, decided_at, approval)
VALUES (:key, :incident_id, :approver, :granted, :at, :approval);

-- name: mark_ready
INSERT INTO readiness (id, checked_at) VALUES (1, :at)
ON CONFLICT (id) DO UPDATE SET checked_at = excluded.checked_at;
