ALTER TABLE publications ADD COLUMN decides BIGINT NOT NULL DEFAULT 1;
UPDATE publications SET decides = 0 WHERE EXISTS (SELECT 1 FROM orders WHERE orders.run_id = publications.run_id)
    AND NOT EXISTS (SELECT 1 FROM orders WHERE orders.run_id = publications.run_id AND (status <> 'gated'
        OR body NOT LIKE '%so this plan is only shown.%'));
CREATE TABLE planned_items (item_id TEXT PRIMARY KEY, run_id TEXT NOT NULL, seq BIGINT NOT NULL);
-- sqlite
INSERT INTO planned_items (item_id, run_id, seq)
SELECT named.value, publications.run_id, MAX(publications.seq)
FROM publications, json_each(publications.item_ids) AS named WHERE publications.decides = 1 GROUP BY named.value;
-- postgresql
INSERT INTO planned_items (item_id, run_id, seq)
SELECT DISTINCT ON (named.value) named.value, publications.run_id, publications.seq
FROM publications, json_array_elements_text(CAST(publications.item_ids AS json)) AS named (value)
WHERE publications.decides = 1 ORDER BY named.value, publications.seq DESC;
