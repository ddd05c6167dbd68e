-- name: put
INSERT INTO incidents (id, group_key, title, target, severity, state, resolution, opened_at, closed_at,
                       report_path, pending_action, snapshot, saved_at)
VALUES (:id, :group_key, :title, :target, :severity, :state, :resolution, :opened_at, :closed_at,
        :report_path, :pending_action, :snapshot, :saved_at)
ON CONFLICT (id) DO UPDATE SET
    title = excluded.title, target = excluded.target, severity = excluded.severity, state = excluded.state,
    resolution = excluded.resolution, closed_at = excluded.closed_at, report_path = excluded.report_path,
    pending_action = excluded.pending_action, snapshot = excluded.snapshot, saved_at = excluded.saved_at;

-- name: last_seq
SELECT coalesce(max(seq), 0) FROM entries WHERE incident_id = :id;

-- name: add_entry
INSERT INTO entries (incident_id, seq, at, event, entry) VALUES (:id, :seq, :at, :event, :entry);

-- name: snapshot
SELECT snapshot FROM incidents WHERE id = :id;

-- name: entries
SELECT entry FROM entries WHERE incident_id = :id ORDER BY seq;

-- name: live
SELECT id FROM incidents WHERE group_key = :group_key AND state <> 'closed';

-- name: pending_action
SELECT pending_action FROM incidents WHERE id = :id;

-- name: newest_ids
SELECT id FROM incidents ORDER BY opened_at DESC, id DESC LIMIT :limit;

-- name: newest
SELECT id, title, target, severity, state, resolution, opened_at, closed_at, report_path,
       (SELECT count(DISTINCT fingerprint) FROM alerts WHERE alerts.incident_id = incidents.id) AS alerts_count
FROM incidents
ORDER BY opened_at DESC, id DESC
LIMIT :limit;

-- name: newest_in_state
SELECT id, title, target, severity, state, resolution, opened_at, closed_at, report_path,
       (SELECT count(DISTINCT fingerprint) FROM alerts WHERE alerts.incident_id = incidents.id) AS alerts_count
FROM incidents
WHERE state = :state
ORDER BY opened_at DESC, id DESC
LIMIT :limit;

-- name: counts
SELECT state, count(*) AS incidents_count FROM incidents GROUP BY state;

-- name: open
SELECT id FROM incidents WHERE state = 'open' ORDER BY opened_at, id;

-- name: answered
SELECT incidents.id
FROM incidents
JOIN approvals ON approvals.action_key = incidents.pending_action
WHERE incidents.state = 'parked'
ORDER BY approvals.decided_at, incidents.id;

-- name: answered_and_not_begun
SELECT incidents.id
FROM incidents
JOIN approvals ON approvals.action_key = incidents.pending_action
LEFT JOIN intents ON intents.action_key = incidents.pending_action
WHERE incidents.state = 'parked' AND intents.action_key IS NULL
ORDER BY approvals.decided_at, incidents.id;
