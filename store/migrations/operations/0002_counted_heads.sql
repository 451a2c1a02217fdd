ALTER TABLE journal_heads ADD COLUMN row_count BIGINT;
