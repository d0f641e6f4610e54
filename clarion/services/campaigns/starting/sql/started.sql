-- name: find_draft^
SELECT campaign, digest FROM drafts WHERE id = :id;

-- name: keep_draft!
INSERT INTO drafts (id, campaign, digest, created_at) VALUES (:id, :campaign, :digest, :now);

-- name: campaign_of_occasion^
SELECT id, status, problem, title, officials, waits_for_directory FROM campaigns WHERE hearing = :hearing;

-- name: occasion_of_campaign$
SELECT h.alert FROM campaigns AS c JOIN hearings AS h ON h.id = c.hearing WHERE c.id = :campaign;
